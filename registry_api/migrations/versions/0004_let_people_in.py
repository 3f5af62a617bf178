"""Let people, services and teams in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_principals()
    _make_projects()
    with op.batch_alter_table("token") as batch:
        batch.add_column(sa.Column("principal_id", KEY, nullable=True))
        batch.add_column(sa.Column("projects", sa.JSON(none_as_null=True), nullable=True))
        batch.create_foreign_key(op.f("fk_token_principal_id"), "principal", ["principal_id"], ["id"])
    _make_audit()


def _make_principals() -> None:
    op.create_table(
        "access_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_state")),
    )
    op.execute("INSERT INTO access_state (id, generation) VALUES (1, 1)")
    op.create_table(
        "principal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("oidc_group", sa.String(length=200), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principal")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_principal_kind_name")),
        sa.UniqueConstraint("oidc_group", name=op.f("uq_principal_oidc_group")),
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["principal.id"], name=op.f("fk_team_member_team_id")),
        sa.ForeignKeyConstraint(["member_id"], ["principal.id"], name=op.f("fk_team_member_member_id")),
        sa.PrimaryKeyConstraint("team_id", "member_id", name=op.f("pk_team_member")),
    )
    op.create_index(op.f("ix_team_member_member_id"), "team_member", ["member_id"], unique=False)


def _make_projects() -> None:
    op.create_table(
        "project",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_project")),
    )
    op.execute("INSERT INTO project (name, created_at) SELECT DISTINCT project, CURRENT_TIMESTAMP FROM feature_set")
    op.create_table(
        "role_grant",
        sa.Column("principal_id", KEY, nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("granted_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["principal_id"], ["principal.id"], name=op.f("fk_role_grant_principal_id")),
        sa.PrimaryKeyConstraint("principal_id", "project", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_project"), "role_grant", ["project"], unique=False)
    op.create_table(
        "project_namespace",
        sa.Column("namespace", sa.String(length=500), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["project.name"], name=op.f("fk_project_namespace_project")),
        sa.PrimaryKeyConstraint("namespace", name=op.f("pk_project_namespace")),
    )
    op.create_index(op.f("ix_project_namespace_project"), "project_namespace", ["project"], unique=False)


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("token", sa.String(length=200), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("entity", sa.String(length=500), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    for column in ("actor", "action", "entity"):
        op.create_index(op.f(f"ix_audit_{column}_id"), "audit", [column, "id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_stands_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()"
    )
