"""updates of Telegram: how much of an answer went out, a quick look at those that wait, and who answers"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITING = sa.text("body IS NOT NULL")


def upgrade() -> None:
    op.add_column("inbox", sa.Column("sent", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_inbox_waiting", "inbox", ["id"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("lease")
    op.drop_index("ix_inbox_waiting", "inbox")
    op.drop_column("inbox", "sent")
