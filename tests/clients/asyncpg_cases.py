"""asyncpg, which speaks only the extended protocol in binary, one JSON line for each case.

Connects where libpq's variables point. What it prints does not depend on the server's address, process ids or the time, so
two runs against the same data can be compared line by line.
"""

import asyncio
import hashlib
import io
import json

import asyncpg

VALUES = """
    SELECT i AS small, (i * 1000003)::bigint AS big, (i / 7.0)::numeric(20, 6) AS exact, (i / 3.0)::float8 AS double,
           i % 2 = 0 AS even, 'row ' || i || ' grüße 支払い' AS words, decode(md5(i::text), 'hex') AS raw,
           date '2024-02-28' + i AS day, timestamptz '2024-03-31 00:30:00Z' + i * interval '1 hour' AS moment,
           make_interval(days => i, secs => i / 4.0) AS span, md5(i::text)::uuid AS id, jsonb_build_object('i', i) AS document,
           ARRAY[i, NULL, -i] AS numbers, int4range(i, i + 5) AS range, ROW(i, 'composite') AS record, NULL::text AS nothing
    FROM generate_series(1, $1) AS i ORDER BY i
"""


def say(case, result):
    print(json.dumps({"case": case, "result": result}, default=str, ensure_ascii=False, sort_keys=True), flush=True)


def digest(data):
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


async def error(case, awaitable):
    try:
        await awaitable
        say(case, "no error")
    except asyncpg.PostgresError as raised:
        say(case, [raised.sqlstate, str(raised)])


async def results(connection):
    rows = await connection.fetch(VALUES, 3)
    say("rows", [[value.hex() if isinstance(value, bytes) else repr(value) for value in row] for row in rows])
    statement = await connection.prepare("SELECT $1::int8 + $2::int4 AS total, $3::text[] AS texts")
    say("described", [[p.name for p in statement.get_parameters()], [[a.name, a.type.name] for a in statement.get_attributes()]])
    say("prepared", [list(await statement.fetchrow(n, 1, ["a", None])) for n in range(5)])
    many = await connection.fetch("SELECT i, repeat('x', i % 100) FROM generate_series(1, 50000) i")
    say("many rows", digest(repr([tuple(row) for row in many]).encode()))
    say("limited rows", [list(row) for row in await statement.fetch(1, 2, [])])
    say("simple query", await connection.execute("CREATE TEMP TABLE made (n int4); INSERT INTO made VALUES (1), (2)"))


async def cursors(connection):
    async with connection.transaction():
        cursor = await connection.cursor("SELECT i FROM generate_series(1, 50) i")
        head = await cursor.fetch(7)
        await cursor.forward(10)
        say("cursor", [[row[0] for row in head], [row[0] for row in await cursor.fetch(3)]])
        total = 0
        async for row in connection.cursor("SELECT i FROM generate_series(1, 1000) i", prefetch=33):
            total += row[0]
        say("cursor, iterated", total)


async def copies(connection):
    await connection.execute("CREATE TEMP TABLE copied (n int4, words text, amount numeric)")
    records = [(n, None if n % 3 == 0 else f"tab\there ä {n}", n) for n in range(2000)]
    say("copy in, binary", await connection.copy_records_to_table("copied", records=records))
    text = io.BytesIO(b"9000,from csv,1.5\n9001,,2.5\n")
    say("copy in, csv", await connection.copy_to_table("copied", source=text, format="csv"))
    for form in ("text", "csv", "binary"):
        out = io.BytesIO()
        status = await connection.copy_from_query("SELECT * FROM copied WHERE n >= $1 ORDER BY n", 10, output=out, format=form)
        say(f"copy out, {form}", [status, digest(out.getvalue())])
    await error("copy with an error", connection.copy_to_table("copied", source=io.BytesIO(b"no number,,\n"), format="csv"))
    await connection.executemany("INSERT INTO copied VALUES ($1, $2)", [(n, str(n)) for n in range(10000, 10200)])
    say("executemany", await connection.fetchval("SELECT count(*) FROM copied WHERE n >= 10000"))


async def transactions(connection):
    await connection.execute("CREATE TEMP TABLE saved (n int4 PRIMARY KEY)")
    async with connection.transaction(isolation="serializable"):
        await connection.execute("INSERT INTO saved VALUES (1)")
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO saved VALUES (1)")
        except asyncpg.UniqueViolationError as raised:
            say("savepoint", [raised.sqlstate, raised.detail])
    say("committed", await connection.fetchval("SELECT count(*) FROM saved"))
    await error("division by zero", connection.fetch("SELECT 1 / $1::int4", 0))
    await error("syntax error", connection.fetch("SELEC 1"))
    await error("unknown table", connection.fetch("SELECT * FROM nowhere"))


async def messages(connection):
    heard, notices = asyncio.Queue(), []
    await connection.add_listener("channel", lambda _connection, _pid, channel, payload: heard.put_nowait([channel, payload]))
    await connection.execute("NOTIFY channel, 'payload ä'")
    say("notification", await asyncio.wait_for(heard.get(), 10))
    connection.add_log_listener(lambda _connection, notice: notices.append([notice.severity, notice.message]))
    await connection.execute("DO $$ BEGIN RAISE NOTICE 'a notice'; END $$")
    await asyncio.sleep(0)
    say("notices", notices)
    try:
        await connection.execute("SELECT pg_sleep(60)", timeout=0.3)
        say("cancelled by a timeout", "no error")
    except TimeoutError:
        say("cancelled by a timeout", await connection.fetchval("SELECT 'and usable'"))


async def main():
    connection = await asyncpg.connect(server_settings={"TimeZone": "UTC"})
    for part in (results, cursors, copies, transactions, messages):
        await part(connection)
    await connection.close()
    async with asyncpg.create_pool(min_size=3, max_size=3) as pool:
        say("pool", sorted(await asyncio.gather(*(pool.fetchval("SELECT $1::int4", n) for n in range(30)))))


asyncio.run(main())
