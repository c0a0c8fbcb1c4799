"""Makes a view of each statement of a file where PostgreSQL can, and prints the catalog with them, then of each view its number,
what it depends on and its text; nothing is kept. Arguments: the file, the database, the catalog's queries as JSON."""

import json
import sys

import psycopg

DEPENDS = """
    SELECT v.relname, d.refclassid::regclass::text, coalesce(c.relname, p.proname), a.attname, pg_get_viewdef(v.oid)
    FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    LEFT JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
    LEFT JOIN pg_attribute a ON d.refclassid = 'pg_class'::regclass AND (a.attrelid, a.attnum) = (d.refobjid, d.refobjsubid)
    LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
    WHERE v.relname LIKE 'view\\_of\\_%'"""

file, name, queries = sys.argv[1:]
connection = psycopg.connect(dbname=name)
cursor = connection.cursor()
for number, line in enumerate(open(file, encoding="utf-8")):
    cursor.execute("SAVEPOINT before")
    try:
        cursor.execute(f"CREATE VIEW view_of_{number} AS " + json.loads(line))
    except psycopg.Error:
        cursor.execute("ROLLBACK TO before")
cursor.execute(DEPENDS)
views = {}
for view, kind, what, column, text in cursor.fetchall():
    found = views.setdefault(view, {"view": view, "text": text, "columns": [], "functions": []})
    if kind == "pg_class":
        found["columns"].append([what, column or ""])
    elif kind == "pg_proc":
        found["functions"].append(what)
for number, query in enumerate(json.loads(queries)):
    cursor.execute(query)
    result = cursor.pgresult
    cells = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
    print(json.dumps([number, [[None if cell is None else cell.decode() for cell in row] for row in cells]]))
connection.rollback()
for view in views.values():
    print(json.dumps(view))
