// node-postgres, one JSON line for each case.
//
// Connects where libpq's variables point. What it prints does not depend on the server's address, process ids or the time,
// so two runs against the same data can be compared line by line.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { Client, Pool } = require('pg');

const VALUES = `
  SELECT i AS small, (i * 1000003)::bigint AS big, (i / 7.0)::numeric(20, 6) AS exact, (i / 3.0)::float8 AS double,
         i % 2 = 0 AS even, 'row ' || i || ' grüße 支払い' AS words, decode(md5(i::text), 'hex') AS raw,
         timestamptz '2024-03-31 00:30:00Z' + i * interval '1 hour' AS moment, md5(i::text)::uuid AS id,
         jsonb_build_object('i', i) AS document, ARRAY[i, NULL, -i] AS numbers, NULL::text AS nothing
  FROM generate_series(1, $1::int4) AS i ORDER BY i`;

function say(name, result) {
  console.log(JSON.stringify({ case: name, result }));
}

function digest(value) {
  return crypto.createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function settings() {
  switch (process.env.PGSSLMODE) {
    case 'verify-full':
      return { ssl: { ca: fs.readFileSync(process.env.PGSSLROOTCERT, 'utf8') } };
    case 'require':
      return { ssl: { rejectUnauthorized: false } };
    default:
      return { ssl: false };
  }
}

async function failure(name, promise) {
  try {
    await promise;
    say(name, 'no error');
  } catch (error) {
    say(name, [error.severity, error.code, error.message, error.position, error.constraint]);
  }
}

async function results(client) {
  const plain = await client.query(VALUES.replace('$1', '3'));
  say('simple', [plain.fields.map((field) => [field.name, field.dataTypeID, field.format]), plain.rows]);
  say('extended', (await client.query(VALUES, [3])).rows);
  for (const round of [1, 2]) {
    say(`prepared, round ${round}`, (await client.query({ name: 'values', text: VALUES, values: [2] })).rows);
  }
  const binary = await client.query({ text: 'SELECT 7::int4 AS a, true AS b, $1::text AS c', values: ['ä'], binary: true });
  say('binary', [binary.fields.map((field) => field.format), binary.rows]);
  const many = await client.query("SELECT i, repeat('x', i % 100) FROM generate_series(1, 50000) i");
  say('many rows', [many.rowCount, digest(many.rows)]);
  say('row limit', (await client.query({ text: 'SELECT i FROM generate_series(1, 9) i', rows: 4, values: [] })).rows.length);
  const several = await client.query("SELECT 1 AS one; SELECT 'two' AS two; CREATE TEMP TABLE made (n int4); INSERT INTO made VALUES (1), (2)");
  say('several statements', several.map((answer) => [answer.command, answer.rowCount, answer.rows]));
  const large = 'ä'.repeat(500000);
  say('large parameter', (await client.query('SELECT $1::text AS text', [large])).rows[0].text === large);
}

async function queued(client) {
  const promises = Array.from({ length: 30 }, (_, n) => client.query('SELECT $1::int4 * 2 AS double', [n]));
  say('queued', (await Promise.all(promises)).map((answer) => answer.rows[0].double));
}

async function transactions(client) {
  await client.query('CREATE TEMP TABLE saved (n int4 PRIMARY KEY)');
  await client.query('BEGIN');
  await client.query('INSERT INTO saved VALUES ($1)', [1]);
  await failure('unique', client.query('INSERT INTO saved VALUES ($1)', [1]));
  await failure('failed transaction', client.query('SELECT 1'));
  await client.query('ROLLBACK');
  say('rolled back', (await client.query('SELECT count(*)::int4 FROM saved')).rows);
  await failure('syntax error', client.query('SELEC 1'));
  await failure('division by zero', client.query('SELECT 1 / $1::int4', [0]));
}

async function messages(client) {
  const notices = [];
  client.on('notice', (notice) => notices.push([notice.severity, notice.message]));
  await client.query("DO $$ BEGIN RAISE NOTICE 'a notice'; END $$");
  say('notices', notices);
  const heard = new Promise((resolve) => client.once('notification', resolve));
  await client.query('LISTEN channel');
  await client.query("NOTIFY channel, 'payload ä'");
  const { channel, payload } = await heard;
  say('notification', [channel, payload]);
}

async function main() {
  const client = new Client(settings());
  await client.connect();
  await client.query("SET TimeZone = 'UTC'");
  for (const part of [results, queued, transactions, messages]) {
    await part(client);
  }
  await client.end();

  const pool = new Pool({ ...settings(), max: 3 });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.query('SELECT $1::int4 AS n', [n])));
  say('pool', answers.map((answer) => answer.rows[0].n));
  await pool.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
