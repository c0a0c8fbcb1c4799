-- A column of each type, holding what must not get out. The values are such that no detector knows them: only what is declared
-- protects.
CREATE EXTENSION citext;
CREATE TYPE m_mood AS ENUM ('calm', 'zqvxkwhisper');
CREATE DOMAIN m_domain AS text CHECK (length(VALUE) > 3);
CREATE DOMAIN m_number AS bigint CHECK (VALUE > 3);
CREATE TYPE m_pair AS (a text, b bigint);
CREATE TABLE m (
    id integer PRIMARY KEY,
    v_text text, v_varchar varchar(40), v_char char(20), v_name name, v_domain m_domain, v_citext citext, v_enum m_mood,
    v_tsvector tsvector,
    v_smallint smallint, v_integer integer, v_bigint bigint, v_numeric numeric(14, 2), v_number m_number, v_money money,
    v_real real, v_float8 double precision,
    v_date date, v_time time, v_timetz timetz, v_timestamp timestamp, v_timestamptz timestamptz, v_interval interval,
    v_uuid uuid, v_bytea bytea, v_inet inet, v_cidr cidr, v_macaddr macaddr, v_bit bit varying(64),
    v_json json, v_jsonb jsonb, v_xml xml, v_texts text[], v_bigints bigint[], v_dates date[], v_range int8range,
    v_days daterange, v_ranges int8multirange, v_pair m_pair, v_pairs m_pair[]
);
INSERT INTO m SELECT i,
    'QWZXKVJPHGFDMBTYLN', 'XVJQZKHTGDPBWLNMRF', 'VKZQXJWTGDPBHLNMRFKX', 'ZKQXWVJFPBGDTMHL', 'GVXJQKWZTDLBHPNM',
    'KXJVZQHTGDPBWLNMRF', 'zqvxkwhisper', 'xkzqjwvgtpbhdm',
    31847, 1739184620, 739184620517, 8261739.45, 648205917364, 7391846.25, 48271.5, 5938274.625,
    '1913-07-29', '19:43:27.318264', '17:52:36.429371+00', '1927-11-03 21:14:07.654321', '1938-02-17 04:41:53.987654+00', '37 years 5 mons 11 days 06:53:29',
    'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91', 'WVXQZPKJGHTRDLMBNF', '203.0.113.177', '198.51.100.176/28', '5e:c7:3a:91:d4:2f',
    '1011001110001111010100101101110010110101',
    '{"pin": "ZVXQKJGWBTDPLH"}', '{"pin": "WQXZVKJTGHDBPM"}', '<pin>QJZWXKVGDHPTBLMN</pin>', '{KQJZXWGVTPBDHMLN}',
    '{952846173309}', '{1921-09-13}', '[416273958802,416273958999)', '[1931-05-22,1931-06-25)',
    '{[527384160913,527384160999)}', '(TDLBHPNMQZXK,741069283517)', '{"(HPTDLBNMQZXK,835174069217)"}'
FROM generate_series(1, 12) i;
ANALYZE m;
CREATE TABLE m_kept (y text);
CREATE TABLE m_once (y text UNIQUE);
CREATE TABLE m_sink (v text CHECK (v IS NULL));
CREATE FUNCTION m_say(text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''it is %'', $1; END';
CREATE FUNCTION m_raise(text, text, text) RETURNS void LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''it is %'', $1 USING DETAIL = ''it is '' || $2, HINT = ''it is '' || $3; END';
