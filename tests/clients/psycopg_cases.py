"""psycopg 3 in every mode that speaks the protocol differently, one JSON line for each case.

Connects where libpq's variables point. What it prints does not depend on the server's address, process ids or the time, so
two runs against the same data can be compared line by line.
"""

import hashlib
import json
import threading

import psycopg
from psycopg import sql

VALUES = """
    SELECT i AS small, (i * 1000003)::bigint AS big, (i / 7.0)::numeric(20, 6) AS exact, (i / 3.0)::float8 AS double,
           i %% 2 = 0 AS even, 'row ' || i || ' grüße 支払い' AS words, decode(md5(i::text), 'hex') AS raw,
           date '2024-02-28' + i AS day, timestamptz '2024-03-31 00:30:00Z' + i * interval '1 hour' AS moment,
           make_interval(days => i, secs => i / 4.0) AS span, md5(i::text)::uuid AS id,
           jsonb_build_object('i', i, 'list', ARRAY[i, i + 1]) AS document, ARRAY[i, NULL, -i] AS numbers,
           ARRAY['a', NULL, '"quoted", {braced}'] AS texts, int4range(i, i + 5) AS range, NULL::text AS nothing, '' AS empty
    FROM generate_series(1, %s) AS i ORDER BY i
"""


def say(case, result):
    print(json.dumps({"case": case, "result": result}, default=str, ensure_ascii=False, sort_keys=True), flush=True)


def digest(chunks):
    summary, size = hashlib.sha256(), 0
    for chunk in chunks:
        summary.update(bytes(chunk))
        size += len(chunk)
    return {"bytes": size, "sha256": summary.hexdigest()}


def hexed(rows):
    return [[value.hex() if isinstance(value, bytes) else value for value in row] for row in rows]


def error(case, connection, statement, parameters=None):
    try:
        connection.execute(statement, parameters)
        say(case, "no error")
    except psycopg.Error as raised:
        diagnostic = raised.diag
        say(case, [diagnostic.severity, diagnostic.sqlstate, diagnostic.message_primary, diagnostic.constraint_name])


def results(connection, binary):
    form = "binary" if binary else "text"
    for prepare in (False, True):
        with connection.cursor(binary=binary) as cursor:
            cursor.execute(VALUES, (3,), prepare=prepare)
            columns = [[c.name, c.type_code, c.internal_size, c.precision, c.scale] for c in cursor.description]
            say(f"{form}, prepared {prepare}", {"columns": columns, "rows": hexed(cursor.fetchall())})
    with connection.cursor(binary=binary) as cursor:
        cursor.execute("SELECT i, repeat('x', i %% 100) FROM generate_series(1, %s) i", (50_000,))
        say(f"{form}, many rows", digest(repr(row).encode() for row in cursor))
    with connection.cursor(binary=binary) as cursor:
        rows = cursor.stream("SELECT i, repeat('y', i %% 50) FROM generate_series(1, %s) i", (5_000,))
        say(f"{form}, streamed", digest(repr(row).encode() for row in rows))


def parameters(connection):
    row = connection.execute(
        "SELECT %s::int8, %s::text, %s::bytea, %s::jsonb, %s::int4[], %s::text, %b::int4, %t::int4",
        (2**40, "Zoë 💳", b"\x00\xff", psycopg.types.json.Jsonb({"a": [1, None]}), [1, None, 3], None, 7, 8),
    ).fetchone()
    say("parameters", hexed([row]))
    large = "ä" * 1_000_000
    say("large parameter", digest([connection.execute("SELECT %s::text", (large,)).fetchone()[0].encode()]))


def simple_query(connection):
    cursor = connection.execute("SELECT 1 AS one; SELECT 'two' AS two WHERE false; UPDATE kept SET note = 'x' WHERE false; SELECT 3")
    answers = []
    while True:
        answers.append([cursor.statusmessage, cursor.fetchall() if cursor.description else None])
        if not cursor.nextset():
            break
    say("several statements", answers)
    say("empty query", connection.execute("").statusmessage)


def pipeline(connection):
    with connection.pipeline():
        cursors = [connection.execute("SELECT %s::int4 * 2", (number,)) for number in range(20)]
    say("pipeline", [cursor.fetchone()[0] for cursor in cursors])
    try:
        with connection.pipeline() as pipe:
            first = connection.execute("SELECT 'before'")
            connection.execute("SELECT 1 / %s::int4", (0,))
            connection.execute("SELECT 'skipped'")
            pipe.sync()
        say("pipeline with an error", "no error")
    except psycopg.Error as raised:
        say("pipeline with an error", [raised.sqlstate, first.fetchone()])
    connection.rollback()
    with connection.pipeline():
        connection.execute("CREATE TEMP TABLE piped (n int4)")
        connection.cursor().executemany("INSERT INTO piped VALUES (%s)", [(n,) for n in range(500)])
    say("pipelined inserts", connection.execute("SELECT count(*), sum(n) FROM piped").fetchone())


def server_side_cursor(connection):
    with connection.transaction():
        for binary in (False, True):
            with connection.cursor(name="portal", binary=binary, scrollable=True) as cursor:
                cursor.itersize = 7
                cursor.execute("SELECT i, i::text FROM generate_series(1, 30) i")
                head = cursor.fetchmany(3)
                cursor.scroll(5)
                rest = [row[0] for row in cursor]
                say(f"server-side cursor, binary {binary}", [head, rest])


def copies(connection):
    connection.execute("CREATE TEMP TABLE copied (n int4, words text, at timestamptz)")
    rows = [(n, f"tab\there\nline ä \\ {n}" if n % 3 else None, f"2024-01-01 00:00:{n % 60:02}+00") for n in range(3000)]
    with connection.cursor() as cursor:
        with cursor.copy("COPY copied FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        say("copy in, text", cursor.statusmessage)
        loaded = connection.execute("SELECT * FROM copied ORDER BY n").fetchall()
        with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "timestamptz"])
            for row in loaded:
                copy.write_row(row)
        say("copy in, binary", cursor.statusmessage)
        for form in ("text", "csv", "binary"):
            with cursor.copy(f"COPY (SELECT * FROM copied ORDER BY n) TO STDOUT (FORMAT {form})") as copy:
                say(f"copy out, {form}", digest(copy))
    connection.commit()
    try:
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write("1\tenough columns\t2024-01-01\nno number\t\\N\t\\N\n")
        say("copy with an error", "no error")
    except psycopg.Error as raised:
        say("copy with an error", [raised.sqlstate, raised.diag.message_primary, raised.diag.context])
    connection.rollback()
    try:
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write("1\tgiven up\t2024-01-01\n")
            raise RuntimeError("the client gives up")
    except (RuntimeError, psycopg.Error) as raised:
        connection.rollback()
        say("copy given up", [type(raised).__name__, connection.execute("SELECT count(*) FROM copied").fetchone()])
    connection.commit()


def transactions(connection):
    connection.execute("CREATE TEMP TABLE saved (n int4 PRIMARY KEY)")
    connection.commit()
    with connection.transaction():
        connection.execute("INSERT INTO saved VALUES (1)")
        try:
            with connection.transaction():
                connection.execute("INSERT INTO saved VALUES (2)")
                connection.execute("INSERT INTO saved VALUES (1)")
        except psycopg.errors.UniqueViolation as raised:
            say("savepoint", [raised.sqlstate, connection.execute("SELECT array_agg(n) FROM saved").fetchone()])
    error("error in a transaction", connection, "SELECT 1 / 0")
    say("status after an error", connection.info.transaction_status.name)
    error("statement in a failed transaction", connection, "SELECT 1")
    connection.rollback()
    say("status after rollback", connection.info.transaction_status.name)
    error("syntax error", connection, "SELEC 1")
    connection.rollback()
    error("not null", connection, "INSERT INTO saved VALUES (%s)", (None,))
    connection.rollback()


def messages(connection):
    notices = []
    connection.add_notice_handler(lambda notice: notices.append([notice.severity, notice.sqlstate, notice.message_primary]))
    connection.execute("DO $$ BEGIN RAISE NOTICE 'a notice'; RAISE WARNING 'a warning'; END $$")
    say("notices", notices)
    connection.execute("LISTEN channel")
    connection.commit()
    connection.execute("SELECT pg_notify('channel', 'payload ä')")
    connection.commit()
    say("notifications", [[n.channel, n.payload] for n in connection.notifies(timeout=10, stop_after=1)])
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    say("parameter status", connection.info.parameter_status("TimeZone"))
    connection.execute("SET TimeZone = 'UTC'")
    connection.commit()


def cancel(connection):
    started = threading.Event()

    def interrupt():
        started.wait()
        # The statement may not have reached the server yet: ask until one request meets it.
        while not stopped.wait(0.1):
            connection.cancel_safe()

    stopped = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        started.set()
        connection.execute("SELECT pg_sleep(60)")
        say("cancel", "no error")
    except psycopg.errors.QueryCanceled as raised:
        say("cancel", [raised.sqlstate, raised.diag.message_primary])
    finally:
        stopped.set()
        thread.join()
    connection.rollback()


def main():
    with psycopg.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TEMP TABLE kept (note text)")
        connection.commit()
        say("session", connection.execute("SELECT current_user, current_database() <> '', version() LIKE 'PostgreSQL 15.%'").fetchone())
        results(connection, binary=False)
        results(connection, binary=True)
        parameters(connection)
        simple_query(connection)
        pipeline(connection)
        server_side_cursor(connection)
        copies(connection)
        transactions(connection)
        messages(connection)
        cancel(connection)
        query = sql.SQL("SELECT {} FROM {} ORDER BY 1 LIMIT 5").format(sql.Identifier("opened_on"), sql.Identifier("accounts"))
        say("bank", connection.execute(query).fetchall())


main()
