// JDBC with PostgreSQL's own driver, one JSON line for each case; run as a single source file.
//
// Connects where libpq's variables point. What it prints does not depend on the server's address, process ids or the time,
// so two runs against the same data can be compared line by line.

import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

final class JdbcCases {
    private static final String VALUES = """
        SELECT i AS small, (i * 1000003)::bigint AS big, (i / 7.0)::numeric(20, 6) AS exact, (i / 3.0)::float8 AS double,
               i % 2 = 0 AS even, 'row ' || i || ' grüße 支払い' AS words, decode(md5(i::text), 'hex') AS raw,
               date '2024-02-28' + i AS day, timestamptz '2024-03-31 00:30:00Z' + i * interval '1 hour' AS moment,
               md5(i::text)::uuid AS id, jsonb_build_object('i', i) AS document, ARRAY[i, NULL, -i] AS numbers, NULL::text AS nothing
        FROM generate_series(1, ?) AS i ORDER BY i
        """;

    public static void main(String[] arguments) throws Exception {
        for (String mode : List.of("extended", "simple", "extendedForPrepared", "extendedCacheEverything")) {
            try (Connection connection = connect(mode)) {
                results(connection, mode);
                transactions(connection, mode);
            }
        }
        try (Connection connection = connect("extended")) {
            batches(connection);
            cursors(connection);
            copies(connection);
            metadata(connection);
            messages(connection);
            cancel(connection);
        }
    }

    private static Connection connect(String mode) throws SQLException {
        Map<String, String> environment = System.getenv();
        Properties properties = new Properties();
        properties.setProperty("user", environment.get("PGUSER"));
        properties.setProperty("password", environment.get("PGPASSWORD"));
        properties.setProperty("sslmode", environment.getOrDefault("PGSSLMODE", "disable"));
        if (environment.containsKey("PGSSLROOTCERT")) {
            properties.setProperty("sslrootcert", environment.get("PGSSLROOTCERT"));
        }
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("preferQueryMode", mode);
        properties.setProperty("prepareThreshold", "2");  // server-side statements and binary results from the second run on
        return DriverManager.getConnection(
            "jdbc:postgresql://" + environment.get("PGHOST") + ":" + environment.get("PGPORT") + "/" + environment.get("PGDATABASE"),
            properties);
    }

    private static void results(Connection connection, String mode) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement(VALUES)) {
            for (int round = 1; round <= 4; round++) {
                statement.setInt(1, 2);
                try (ResultSet rows = statement.executeQuery()) {
                    say(mode + ", round " + round, table(rows));
                }
            }
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT CAST(? AS numeric), CAST(? AS text), CAST(? AS bytea), CAST(? AS int8), CAST(? AS bool)")) {
            statement.setBigDecimal(1, new BigDecimal("12345678901234567890.0123456789"));
            statement.setString(2, "Zoë 💳 'quoted' \\ ?");
            if (mode.equals("simple")) {
                statement.setString(3, "\\x00ff275c");  // here the driver has no literal for bytes
            } else {
                statement.setBytes(3, new byte[] {0, -1, 39, 92});
            }
            statement.setLong(4, Long.MIN_VALUE);
            statement.setBoolean(5, true);
            try (ResultSet rows = statement.executeQuery()) {
                say(mode + ", parameters", table(rows));
            }
        }
        try (Statement statement = connection.createStatement()) {
            List<Object> answers = new ArrayList<>();
            boolean rows = statement.execute("SELECT 1 AS one; CREATE TEMP TABLE IF NOT EXISTS made (n int4); INSERT INTO made VALUES (1), (2); SELECT 4");
            while (rows || statement.getUpdateCount() != -1) {
                answers.add(rows ? table(statement.getResultSet()) : statement.getUpdateCount());
                rows = statement.getMoreResults();
            }
            say(mode + ", several statements", answers);
        }
    }

    private static void transactions(Connection connection, String mode) throws Exception {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE saved (n int4 PRIMARY KEY)");
            statement.execute("INSERT INTO saved VALUES (1)");
            Savepoint savepoint = connection.setSavepoint("here");
            failure(mode + ", unique", () -> statement.execute("INSERT INTO saved VALUES (1)"));
            failure(mode + ", failed transaction", () -> statement.execute("SELECT 1"));
            connection.rollback(savepoint);
            connection.commit();
            failure(mode + ", syntax error", () -> statement.execute("SELEC 1"));
            connection.rollback();
            try (ResultSet rows = statement.executeQuery("SELECT n FROM saved")) {
                say(mode + ", committed", table(rows));
            }
            connection.rollback();
        }
        connection.setAutoCommit(true);
    }

    private static void batches(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE batched (id int4 GENERATED ALWAYS AS IDENTITY, n int4 CHECK (n < 1000))");
        }
        String insert = "INSERT INTO batched (n) VALUES (?)";
        try (PreparedStatement statement = connection.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 0; n < 700; n++) {
                statement.setInt(1, n);
                statement.addBatch();
            }
            say("batch", statement.executeBatch().length);
            try (ResultSet keys = statement.getGeneratedKeys()) {
                int last = 0;
                while (keys.next()) {
                    last = keys.getInt(1);
                }
                say("generated keys", last);
            }
            for (int n = 998; n < 1003; n++) {
                statement.setInt(1, n);
                statement.addBatch();
            }
            failure("batch with an error", statement::executeBatch);
        }
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT count(*) FROM batched")) {
            say("rows after the failed batch", table(rows));
        }
    }

    private static void cursors(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT i, repeat('x', i % 100) FROM generate_series(1, ?) i")) {
            statement.setFetchSize(1000);
            statement.setInt(1, 20500);
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            int count = 0;
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    digest.update((rows.getInt(1) + rows.getString(2)).getBytes(StandardCharsets.UTF_8));
                    count++;
                }
            }
            say("portal by the thousand", List.of(count, HexFormat.of().formatHex(digest.digest())));
            statement.setMaxRows(7);
            try (ResultSet rows = statement.executeQuery()) {
                say("at most seven rows", table(rows).size());
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static void copies(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE copied (n int4, words text)");
        }
        CopyManager copy = connection.unwrap(PGConnection.class).getCopyAPI();
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 3000; n++) {
            text.append(n).append("\ttab\\there ä ").append(n).append('\n');
        }
        say("copy in", copy.copyIn("COPY copied FROM STDIN", new StringReader(text.toString())));
        for (String form : List.of("text", "csv", "binary")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            long rows = copy.copyOut("COPY (SELECT * FROM copied ORDER BY n) TO STDOUT (FORMAT " + form + ")", out);
            String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(out.toByteArray()));
            say("copy out, " + form, List.of(rows, out.size(), digest));
        }
        failure("copy with an error", () -> copy.copyIn("COPY copied FROM STDIN", new StringReader("no number\tx\n")));
    }

    private static void metadata(Connection connection) throws Exception {
        DatabaseMetaData metadata = connection.getMetaData();
        say("tables", columns(metadata.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE"));
        say("columns", columns(metadata.getColumns(null, "public", "accounts", "%"), "COLUMN_NAME", "TYPE_NAME", "NULLABLE"));
        say("keys", columns(metadata.getImportedKeys(null, "public", "cards"), "PKTABLE_NAME", "FKCOLUMN_NAME"));
        say("functions", columns(metadata.getFunctions(null, "public", "%"), "FUNCTION_NAME"));
    }

    private static void messages(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DO $$ BEGIN RAISE NOTICE 'a notice'; RAISE WARNING 'a warning'; END $$");
            say("warnings", List.of(statement.getWarnings().getMessage(), statement.getWarnings().getNextWarning().getMessage()));
            statement.execute("LISTEN channel");
            statement.execute("NOTIFY channel, 'payload ä'");
            List<Object> heard = new ArrayList<>();
            for (PGNotification notification : connection.unwrap(PGConnection.class).getNotifications(10_000)) {
                heard.add(List.of(notification.getName(), notification.getParameter()));
            }
            say("notifications", heard);
        }
    }

    private static void cancel(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            failure("cancelled by a timeout", () -> statement.execute("SELECT pg_sleep(60)"));
            statement.setQueryTimeout(0);
            try (ResultSet rows = statement.executeQuery("SELECT 'and usable'")) {
                say("after the cancel", table(rows));
            }
        }
    }

    private interface Attempt {
        Object run() throws Exception;
    }

    private static void failure(String name, Attempt attempt) throws Exception {
        try {
            attempt.run();
            say(name, "no error");
        } catch (SQLException error) {
            say(name, List.of(error.getSQLState(), error.getMessage()));
        }
    }

    private static List<Object> table(ResultSet rows) throws Exception {
        ResultSetMetaData columns = rows.getMetaData();
        List<Object> table = new ArrayList<>();
        while (rows.next()) {
            List<Object> row = new ArrayList<>();
            for (int column = 1; column <= columns.getColumnCount(); column++) {
                row.add(columns.getColumnTypeName(column) + " " + text(rows.getObject(column)));
            }
            table.add(row);
        }
        return table;
    }

    private static List<Object> columns(ResultSet rows, String... names) throws Exception {
        List<Object> table = new ArrayList<>();
        while (rows.next()) {
            List<Object> row = new ArrayList<>();
            for (String name : names) {
                row.add(rows.getString(name));
            }
            table.add(row);
        }
        return table;
    }

    private static String text(Object value) throws Exception {
        if (value instanceof byte[] bytes) {
            return HexFormat.of().formatHex(bytes);
        }
        return value instanceof Array array ? array.toString() : String.valueOf(value);
    }

    private static void say(String name, Object result) {
        byte[] line = ("{\"case\": " + json(name) + ", \"result\": " + json(result) + "}\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(line, 0, line.length);
        System.out.flush();
    }

    private static String json(Object value) {
        if (value instanceof Number) {
            return value.toString();
        }
        if (value instanceof List<?> list) {
            return "[" + String.join(", ", list.stream().map(JdbcCases::json).toList()) + "]";
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char letter : String.valueOf(value).toCharArray()) {
            switch (letter) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                default -> quoted.append(letter < ' ' ? String.format("\\u%04x", (int) letter) : String.valueOf(letter));
            }
        }
        return quoted.append('"').toString();
    }
}
