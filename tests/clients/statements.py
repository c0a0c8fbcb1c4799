"""Runs what stands on each line of its input, in each way of speaking the protocol that its argument names (`simple`, `text`,
`binary`, with commas between), and tells all that came back: bytes as they came, types, errors with every field, notices,
notifications, tags. `;;` stands between statements, `@@` before another session; a line that begins with `!` is undone at its
end; {m} is the way of speaking. NULL is told as `\\N`."""

import json
import sys

import psycopg

# As COPY writes it in its text format.
NULL = "\\N"


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
            out.append("|".join(NULL if value is None else value.decode("latin1") for value in values))
        out.extend(f"{description.name}:{description.type_code}" for description in cursor.description or ())
        if not cursor.nextset():
            return


class Sessions:
    """One connection serves line after line, as long as they leave nothing behind."""

    def __init__(self):
        self.connection = None
        self.out = []

    def open(self):
        if self.connection is None or self.connection.closed:
            self.connection = psycopg.connect(autocommit=True)
            self.connection.add_notice_handler(self.notice)

    def close(self):
        if self.connection is not None:
            self.connection.close()

    def notice(self, diag):
        told = [diag.message_primary, diag.message_detail, diag.message_hint, diag.context]
        self.out.extend(filter(None, told))

    def run(self, statements, mode, out):
        """Whether none failed."""
        self.out = out
        self.open()
        answered = True
        for statement in statements:
            try:
                run(self.connection, statement, mode, out)
            except psycopg.Error as error:
                out.extend(everything(error))
                answered = False
                if self.connection.closed:
                    break
        if not self.connection.closed:
            for note in self.connection.notifies(timeout=0):
                out.append(note.channel + "|" + note.payload)
        undone = statements[0] == "BEGIN" and statements[-1] == "ROLLBACK" and len(statements) == 3
        if not undone and (len(statements) > 1 or not leaves_nothing(statements[0])):
            self.close()
        return answered


def leaves_nothing(statement):
    words = statement.upper().split()
    return bool(words) and words[0] in ("SELECT", "TABLE", "VALUES", "COPY") and "SET_CONFIG" not in statement.upper() and "INTO" not in words


sessions = Sessions()
for line in sys.stdin:
    for mode in sys.argv[1].split(","):
        text = line.strip().replace("{m}", mode)
        undone = text.startswith("!")
        out = []
        answered = True
        for part in text.removeprefix("!").split("@@"):
            statements = [statement.strip() for statement in part.split(";;")]
            if undone:
                statements = ["BEGIN", *statements, "ROLLBACK"]
            answered = sessions.run(statements, mode, out) and answered
        print(json.dumps({"mode": mode, "line": text, "answered": answered, "out": out}))
sessions.close()
