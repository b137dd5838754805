import psycopg

from wizard.credentials import Secret


def test_role_is_no_superuser_and_needs_its_password(database_url: Secret) -> None:
    with psycopg.connect(database_url.reveal()) as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False,)
        connection.execute("CREATE TABLE t (id int)")
    wrong = database_url.reveal().replace("@", "x@")
    try:
        psycopg.connect(wrong)
    except psycopg.OperationalError as error:
        assert "password" in str(error)
    else:
        raise AssertionError("a wrong password was accepted")


def test_bucket_stands(s3_server, bucket: str) -> None:
    s3_server.create_bucket(bucket + "-second")
