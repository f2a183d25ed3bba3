"""web conversations of people who agreed to be remembered"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_event",
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("cursor", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("waiting", sa.JSON(none_as_null=True)),
    )
    op.create_table(
        "web_state",
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("slots", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("web_state")
    op.drop_table("web_event")
