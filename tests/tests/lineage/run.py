"""Prints the catalog of the first database, then what each statement of a file gives in the first two and in one of the
others, which take turns; nothing is kept. Arguments: the file, the catalog's queries as JSON, the databases."""

import json
import sys

import psycopg

ROWS_MAX = 200


def text(value):
    return None if value is None else value.decode("utf-8", "replace")


def rows_of(result, most):
    rows = range(min(result.ntuples, most))
    return [[text(result.get_value(row, column)) for column in range(result.nfields)] for row in rows]


def run(connection, statement):
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            result = cursor.pgresult
            fields = [[result.ftable(column), result.ftablecol(column)] for column in range(result.nfields)]
            return {"fields": fields, "count": result.ntuples, "rows": rows_of(result, ROWS_MAX)}
    except psycopg.Error as error:
        return {"error": error.sqlstate or "", "words": str(error).split("\n")[0]}
    finally:
        connection.rollback()


file, queries, *names = sys.argv[1:]
connections = [psycopg.connect(dbname=name, options="-c statement_timeout=300ms -c jit=off") for name in names]
catalog = connections[0].cursor()
for number, query in enumerate(json.loads(queries)):
    catalog.execute(query)
    print(json.dumps([number, rows_of(catalog.pgresult, sys.maxsize)]))
connections[0].rollback()
turns = connections[2:]
for number, line in enumerate(open(file, encoding="utf-8")):
    statement = json.loads(line)
    asked = connections[:2] + ([turns[number % len(turns)]] if turns else [])
    results = [run(connection, statement) for connection in asked]
    if turns:
        results[2]["turn"] = number % len(turns)
    print(json.dumps(results))
