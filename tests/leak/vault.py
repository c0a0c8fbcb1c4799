"""Runs tricks, one at a time, and tells all that came back: bytes as they came, errors with every field, notices,
notifications, tags. Reads tricks from the file named by its first argument, how to speak from the second, and from the third which: `all`, `plain`, or those that
begin with a `*`, `starred`."""

import json
import sys

import psycopg


def everything(error):
    diag = error.diag
    fields = (
        "message_primary message_detail message_hint internal_query context schema_name table_name column_name "
        "datatype_name constraint_name source_function"
    )
    told = [getattr(diag, field) for field in fields.split()]
    return [str(error)] + [text for text in told if text]


def run(connection, statement, mode, out):
    cursor = connection.cursor()
    if statement.upper().startswith("COPY") and "STDOUT" in statement.upper():
        with cursor.copy(statement) as copy:
            out.append(b"".join(bytes(part) for part in copy).decode("latin1"))
        return
    if mode == "simple":
        cursor.execute(statement)
    else:
        cursor.execute(statement, prepare=True, binary=mode == "binary")
    while True:
        result = cursor.pgresult
        out.append(cursor.statusmessage or "")
        for row in range(result.ntuples):
            values = (result.get_value(row, column) for column in range(result.nfields))
            out.append("|".join("" if value is None else value.decode("latin1") for value in values))
        out.extend(description.name for description in cursor.description or ())
        if not cursor.nextset():
            return


def session(statements, mode, out):
    with psycopg.connect(autocommit=True) as connection:
        connection.add_notice_handler(lambda diag: out.extend(filter(None, [diag.message_primary, diag.message_detail, diag.message_hint, diag.context])))
        answered = True
        for statement in statements:
            try:
                run(connection, statement, mode, out)
            except psycopg.Error as error:
                out.extend(everything(error))
                answered = False
                if connection.closed:
                    break
        if not connection.closed:
            for note in connection.notifies(timeout=0):
                out.append(note.channel + "|" + note.payload)
        return answered


for number, line in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
    line = line.strip()
    if not line or line.startswith("--"):
        continue
    if sys.argv[3] == ("plain" if line.startswith("*") else "starred"):
        continue
    line = line.removeprefix("*")
    for mode in sys.argv[2].split(","):
        trick = line.replace("{m}", mode)
        undone = trick.startswith("!")
        out = []
        answered = True
        for part in trick.removeprefix("!").split("@@"):
            statements = [statement.strip() for statement in part.split(";;")]
            if undone:
                statements = ["BEGIN", *statements, "ROLLBACK"]
            answered = session(statements, mode, out) and answered
        print(json.dumps({"line": number, "mode": mode, "trick": trick, "answered": answered, "out": out}))
