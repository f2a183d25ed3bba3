"""who loaded what, and what it changed"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("who", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("undoes", sa.Integer(), nullable=True))
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("key", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_run"), "change", ["run"])


def downgrade() -> None:
    op.drop_index(op.f("ix_change_run"), "change")
    op.drop_table("change")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_column("undoes")
        batch_op.drop_column("who")
