"""versions of the bot: what each was made from and how it fared, which one answers, and the training of the next"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("data", sa.String(), nullable=False, index=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("measured", sa.LargeBinary()),
        sa.Column("pruned", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "release_model",
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("release", sa.Integer(), nullable=False, index=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_table(
        "training",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("running", sa.Integer(), unique=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("beat", _MOMENT, nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("release", sa.Integer()),
    )


def downgrade() -> None:
    for table in ("training", "publication", "release_model", "release"):
        op.drop_table(table)
