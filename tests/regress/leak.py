"""What tests/regress/leak runs.

  leak.py declare                             the columns that hold what is protected, as lines of a configuration
  leak.py mark NAME                           SQL that gives them values, others for each name
  leak.py run TOKEN PORT SUITE [TEST…]        the suite's statements through the gateway, in "one" and "other"
"""

import collections
import json
import os
import re
import select
import sys
import traceback

from psycopg import pq

# Tables of the suite, and their columns that are declared.
DECLARED = {
    "onek": ["stringu1"],
    "tenk1": ["stringu2"],
    "int8_tbl": ["q2"],
    "text_tbl": ["f1"],
    "varchar_tbl": ["f1"],
    "float8_tbl": ["f1"],
    "emp": ["salary"],
    "student": ["gpa"],
}
# How a declared column gets its values: from a number that is another one in each row and database.
MARKS = {
    "stringu1": "left({letters}, 6)",
    "stringu2": "left({letters}, 6)",
    "q2": "1000000000000000 + {number}",
    "text_tbl.f1": "left({letters}, 12)",
    "varchar_tbl.f1": "left({letters}, 4)",
    "float8_tbl.f1": "1000.5 + {number}",
    "salary": "1000000 + {number} % 900000",
    "gpa": "10000.25 + {number} % 9000",
}
TESTS = """
    select select_distinct select_distinct_on select_having select_implicit select_into subselect union case join aggregates
    transactions portals portals_p2 arrays update delete insert insert_conflict returning merge groupingsets window with limit
    rangefuncs prepare rowtypes polymorphism json jsonb jsonb_jsonpath text varchar int8 float8 strings copyselect copydml
    copy2 temp domain plancache misc_functions tsrf select_views matview updatable_views inherit explain xml xmlmap tsearch
    rules triggers constraints foreign_key generated create_table_like alter_table typed_table partition_join
    partition_aggregate equivclass incremental_sort memoize tuplesort sysviews stats_ext tidscan tablesample
    create_view create_index hash_func conversion sequence largeobject plpgsql errors psql
""".split()
# Roles are the whole server's: what is made in one database is there in the other.
SKIPPED = re.compile(
    r"\b(pg_sleep|pg_terminate_backend|pg_cancel_backend|lo_import|lo_export|pg_stat_reset\w*)\b|\b(create|drop|alter)\s+(user|role|group)\b",
    re.IGNORECASE,
)


def declare():
    for table, columns in DECLARED.items():
        for column in columns:
            print(f'"public.{table}.{column}" = "vault"')


def mark(name):
    letters = f"translate(md5('{name}' || t.ctid::text), '0123456789abcdef', 'BDFGHJKLMNPQRTVW')"
    number = f"(('x' || left(md5('{name}' || t.ctid::text), 12))::bit(48)::bigint % 900000000000)"
    for table, columns in DECLARED.items():
        for column in columns:
            value = MARKS.get(f"{table}.{column}") or MARKS[column]
            value = value.format(letters=letters, number=number)
            print(f"UPDATE {table} t SET {column} = {value};")


def statements(text):
    """The statements of a psql script, each with the rows that follow it; without psql's own commands."""
    at, start, depth, made = 0, 0, 0, []
    length = len(text)
    spoiled = False

    def line_end(at):
        end = text.find("\n", at)
        return length if end < 0 else end

    while at < length:
        c = text[at]
        if text.startswith("--", at):
            at = line_end(at)
        elif text.startswith("/*", at):
            deep, at = 1, at + 2
            while deep and at < length:
                if text.startswith("/*", at):
                    deep, at = deep + 1, at + 2
                elif text.startswith("*/", at):
                    deep, at = deep - 1, at + 2
                else:
                    at += 1
        elif c in "'\"":
            escapes = c == "'" and at > 0 and text[at - 1] in "eE" and not (at > 1 and (text[at - 2].isalnum() or text[at - 2] == "_"))
            at += 1
            while at < length and text[at] != c:
                at += 2 if escapes and text[at] == "\\" else 1
            at += 1
        elif c == "$" and (quote := re.match(r"\$([A-Za-z_]\w*)?\$", text[at:])):
            end = text.find(quote.group(), at + len(quote.group()))
            at = length if end < 0 else end + len(quote.group())
        elif c == "\\":
            # A command of psql: what stands before it is run by it, or not at all.
            spoiled = spoiled or text[start:at].strip() != ""
            word = text[at : line_end(at)]
            at = line_end(at)
            if re.match(r"\\(g|gx|gset|gexec|gdesc|crosstabview|watch)\b", word) or not spoiled:
                start, spoiled = at, False
        elif c == ";" and depth == 0:
            one = text[start : at + 1].strip()
            at += 1
            rows = None
            if re.match(r"(?is)copy\b.*\bfrom\s+stdin\b", strip(one)):
                begin = line_end(at) + 1
                end = text.find("\n\\.", begin - 1)
                end = length if end < 0 else end
                rows = text[begin : end + 1]
                at = line_end(end + 1)
            if not spoiled and not re.search(r"[^:]:['\"]?[a-z_]+['\"]", one):
                made.append((one, rows))
            start, spoiled = at, False
        else:
            if c == "(":
                depth += 1
            elif c == ")":
                depth = max(0, depth - 1)
            elif c.lower() == "b" and (found := re.match(r"(?i)begin\s+atomic\b", text[at:])) and not text[at - 1].isalnum():
                end = re.compile(r"(?im)^end;").search(text, at)
                at = (end.end() - 1) if end else length
                continue
            at += 1
    return made


def strip(statement):
    return re.sub(r"(?m)^\s*--.*$", "", statement).strip()


class Session:
    def __init__(self, name, **how):
        told = " ".join(f"{key}='{value}'" for key, value in how.items())
        self.conn = pq.PGconn.connect(told.encode())
        if self.conn.status != pq.ConnStatus.OK:
            sys.exit(f"{name}: {self.conn.error_message.decode()}")
        self.notices = []
        self.conn.notice_handler = lambda result: self.notices.append(error_of(result))
        self.conn.exec_(b"SET statement_timeout = '5s'; SET client_min_messages = 'notice'")

    def run(self, statement, rows):
        """Everything that comes back."""
        self.notices = []
        conn = self.conn
        conn.send_query(statement.encode())
        told = []
        while True:
            while conn.is_busy():
                select.select([conn.socket], [], [])
                conn.consume_input()
            result = conn.get_result()
            if result is None:
                break
            if result.status == pq.ExecStatus.COPY_IN:
                conn.put_copy_data((rows or "").encode())
                conn.put_copy_end()
                told.append("copy in")
            elif result.status == pq.ExecStatus.COPY_OUT:
                while True:
                    size, data = conn.get_copy_data(0)
                    if size <= 0:
                        break
                    told.append(bytes(data).decode("utf-8", "replace"))
            else:
                told.append(outcome(result))
            if result.status == pq.ExecStatus.COPY_BOTH or conn.status != pq.ConnStatus.OK:
                break
        notes = []
        while (note := conn.notifies()) is not None:
            notes.append([note.relname.decode(), note.extra.decode()])
        return {"told": told, "notices": self.notices, "notes": notes}

    @property
    def alive(self):
        return self.conn.status == pq.ConnStatus.OK


def error_of(result):
    """Its parts. A refusal names the target, schemas for temporary tables and OIDs, which are others in each."""
    fields = pq.DiagnosticField
    wanted = [fields.SEVERITY, fields.SQLSTATE, fields.MESSAGE_PRIMARY, fields.MESSAGE_DETAIL, fields.MESSAGE_HINT, fields.CONTEXT, fields.STATEMENT_POSITION]
    found = (result.error_field(field) for field in wanted)
    parts = [field.decode("utf-8", "replace") if field else None for field in found]
    if parts[1] == "42501":
        parts[2] = re.sub(r"\bother\b", "one", re.sub(r"\b(pg_temp_|oid )\d+\b", r"\1", parts[2]))
    return parts


def outcome(result):
    if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.NONFATAL_ERROR):
        return {"error": error_of(result)}
    names = [result.fname(column) for column in range(result.nfields)]
    rows = [[text_of(result.get_value(row, column)) for column in range(result.nfields)] for row in range(result.ntuples)]
    return {"tag": (result.command_status or b"").decode(), "names": [name and name.decode("utf-8", "replace") for name in names], "rows": rows}


def text_of(value):
    return None if value is None else value.decode("utf-8", "replace")


def refused(result):
    return any(isinstance(part, dict) and "error" in part and part["error"][1] == "42501" and "policy" in (part["error"][2] or "") for part in result["told"])


def withheld(result):
    return any(isinstance(part, dict) and "error" in part and "withheld" in (part["error"][2] or "") for part in result["told"])


def run(token, port, suite, chosen):
    password = open(token).read().strip()
    direct = dict(host="127.0.0.1", port=os.environ["PGPORT"], user="postgres", password=os.environ["PGPASSWORD"])
    through = dict(host="127.0.0.1", port=port, user="regress", password=password)
    ways = [("one", through, "one"), ("other", through, "other")] + [("same", direct, name) for name in ("same_one", "same_other")]
    count = collections.Counter()
    reasons = collections.Counter()
    for test in chosen or TESTS:
        tally = collections.Counter()
        sessions = []
        try:
            sessions += (Session(name, **how, dbname=database) for name, how, database in ways)
            attack(test, statements(open(f"{suite}/{test}.sql", encoding="utf-8").read()), sessions, tally, reasons)
        except Exception:
            # A fault of this script ends the test, and not the run.
            print(f"{test}: {traceback.format_exc()}", flush=True)
            tally["faults"] += 1
        for session in sessions:
            session.conn.finish()
        count += tally
        print(f"{test:24} " + ", ".join(f"{number} {what}" for what, number in tally.items() if number), flush=True)
    print("all: " + ", ".join(f"{number} {what}" for what, number in count.items()))
    for reason, number in reasons.most_common(25):
        print(f"{number:6} {reason}")
    sys.exit(1 if count["differ"] or count["refused otherwise"] or count["ended"] or count["faults"] else 0)


def attack(test, made, sessions, tally, reasons):
    for statement, rows in made:
        if SKIPPED.search(statement):
            continue
        one, other = (session.run(statement, rows) for session in sessions[:2])
        tally["statements"] += 1
        if refused(one) and refused(other):
            tally["refused"] += 1
            error = one["told"][-1]["error"]
            reasons[f"{error[2]}"[:90]] += 1
            if one != other:
                tally["refused otherwise"] += 1
                show(test, statement, one, other)
            continue
        tally["withheld"] += withheld(one)
        first, second = (session.run(statement, rows) for session in sessions[2:])
        if one != other:
            if first == second:
                tally["differ"] += 1
                show(test, statement, one, other)
            else:
                tally["never the same"] += 1
                if os.environ.get("NEVER_THE_SAME"):
                    with open(os.environ["NEVER_THE_SAME"], "a") as file:
                        file.write(json.dumps([test, statement, one, other, first, second]) + "\n")
        if not all(session.alive for session in sessions):
            print(f"{test}: a session ended at {statement}", flush=True)
            tally["ended"] += 1
            break


def show(test, statement, one, other):
    print(f"\n{test}: {statement}\n  one   {json.dumps(one)[:1500]}\n  other {json.dumps(other)[:1500]}\n", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "declare":
        declare()
    elif sys.argv[1] == "mark":
        mark(sys.argv[2])
    else:
        run(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
