#!/usr/bin/env bash
# Makes the database "bank" and the role "app" on a PostgreSQL 15 server on loopback, and fills it.
#
#   BANK_APP_PASSWORD=… examples/bank/load.sh PORT
#
# Signs in as the superuser "postgres"; the usual PGUSER, PGHOST, PGPASSWORD and PGPASSFILE apply.
set -euo pipefail

if [ $# -ne 1 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PGPORT=$1 PGHOST=${PGHOST:-127.0.0.1} PGUSER=${PGUSER:-postgres}

psql -X -q -d postgres -f "$here/roles.sql"
psql -X -q -d bank -1 -f "$here/schema.sql" -f "$here/data.sql"
