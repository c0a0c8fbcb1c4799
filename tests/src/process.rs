//! Programs: run to their end with a clean environment, or kept running and surely stopped.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How long a client may take before it counts as hung, in seconds.
const RUN_SECONDS_MAX: u32 = 270;

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Output {
    /// The same output, if the program ended well.
    ///
    /// # Panics
    /// With everything the program said, if it did not.
    pub fn success(self) -> Self {
        assert_eq!(
            self.code,
            Some(0),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The same output, if the program failed.
    ///
    /// # Panics
    /// With everything the program said, if it ended well.
    pub fn failure(self) -> Self {
        assert_ne!(
            self.code,
            Some(0),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON Lines.
    ///
    /// # Panics
    /// If a line is not JSON.
    #[must_use]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A command that inherits the PATH and nothing else: no PG*, no proxy, no certificate settings, no home.
pub(crate) fn clean_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
        .env("HOME", "/nonexistent")
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC");
    command
}

/// Runs a command with `stdin` as its input. A program that hangs is killed.
///
/// # Panics
/// If the program is not there or hangs.
pub(crate) fn run(command: &Command, stdin: &str) -> Output {
    let mut limited = Command::new("timeout");
    limited
        .arg("--signal=KILL")
        .arg(RUN_SECONDS_MAX.to_string())
        .arg(command.get_program())
        .args(command.get_args());
    limited.env_clear().envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if let Some(directory) = command.get_current_dir() {
        limited.current_dir(directory);
    }
    let mut child = limited
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    // A program need not read all of its input.
    let writer = std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let program = command.get_program().to_string_lossy();
    assert_ne!(
        output.status.code(),
        Some(127),
        "{program} is not installed: run scripts/setup test"
    );
    let output = Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    // `timeout` kills itself with the signal it gave, or reports 137.
    let killed = matches!(output.code, None | Some(137));
    assert!(
        !killed,
        "{program} was killed: after {RUN_SECONDS_MAX} s, or by a signal of its own\n{output:?}"
    );
    output
}

/// Sends a signal, named as `kill` names it. A process that is gone is no error.
pub(crate) fn signal(pid: u32, name: &str) {
    let script = "kill -s \"$1\" \"$2\" 2>/dev/null || true";
    let status = Command::new("sh")
        .args(["-c", script, "sh", name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Sees to it that a server ends with the test's process and leaves no files, even if the test is killed: a shell that
/// waits for its input to end, then stops the server and removes its directory.
pub(crate) struct Watchdog {
    shell: Child,
}

/// Reads the server's process id, once there is one, then a word when the server has been stopped the ordinary way.
const WATCH: &str = r#"
if read -r server; then
  read -r word && exit
  kill -s "$1" "$server" 2>/dev/null
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  kill -s KILL "$server" 2>/dev/null
fi
# A program that the test had started may still be writing there.
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$2" && [ ! -e "$2" ] && exit
  sleep 0.2
done
"#;

impl Watchdog {
    /// Watches over a server's directory, before there is a server.
    pub(crate) fn over(directory: &Path, stop_signal: &str) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", WATCH, "watchdog", stop_signal])
            .arg(directory);
        // A group of its own: Ctrl-C at the terminal must not end the watchdog before its work.
        shell
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            shell: shell.spawn().unwrap(),
        }
    }

    /// Watches over the server too.
    pub(crate) fn server(&mut self, server: &Child) {
        let mut input = self.shell.stdin.as_ref().unwrap();
        writeln!(input, "{}", server.id()).unwrap();
    }
}

impl Drop for Watchdog {
    /// The server, if there was one, has been stopped the ordinary way.
    fn drop(&mut self) {
        if let Some(mut input) = self.shell.stdin.take() {
            let _ = input.write_all(b"done\n");
        }
        let _ = self.shell.wait();
    }
}
