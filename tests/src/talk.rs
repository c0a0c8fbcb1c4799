//! A program that is talked to while it runs: what it says is waited for, line by line, and never slept for.

use crate::process::{self, Output};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a line may take to come, in seconds.
const LINE_SECONDS_MAX: u64 = 60;

/// A program that runs. Dropped, it is killed.
pub struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<Line>,
    readers: Vec<JoinHandle<()>>,
    said: Vec<Line>,
}

struct Line {
    error: bool,
    text: String,
}

impl Talk {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}: run scripts/setup test"));
        let (tell, lines) = mpsc::channel();
        let readers = vec![
            follow(child.stdout.take().unwrap(), false, tell.clone()),
            follow(child.stderr.take().unwrap(), true, tell),
        ];
        Self {
            input: child.stdin.take(),
            child,
            lines,
            readers,
            said: Vec::new(),
        }
    }

    /// Gives it a line of input.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}")
            .and_then(|()| input.flush())
            .unwrap();
    }

    /// Waits for a line that holds this text, on either output.
    ///
    /// # Panics
    /// With all that it said, if the program ends or nothing comes.
    pub fn hear(&mut self, text: &str) -> String {
        let limit = Duration::from_secs(LINE_SECONDS_MAX);
        loop {
            let line = self.lines.recv_timeout(limit);
            let line = line.unwrap_or_else(|error| {
                panic!(
                    "waiting for {text:?}: {error}; it said\n{}",
                    self.everything()
                )
            });
            let found = line.text.contains(text).then(|| line.text.clone());
            self.said.push(line);
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Sends it a signal, named as `kill` names it.
    pub fn signal(&self, name: &str) {
        process::signal(self.child.id(), name);
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends its input, waits for its end, and gives all that it said from the start.
    #[must_use]
    pub fn finish(mut self) -> Output {
        self.input = None;
        let limit = Duration::from_secs(LINE_SECONDS_MAX);
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(line) => self.said.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{error}; it said\n{}", self.everything()),
            }
        }
        let code = self.child.wait().unwrap().code();
        let of = |error: bool| {
            let lines = self.said.iter().filter(|line| line.error == error);
            lines.map(|line| line.text.clone() + "\n").collect()
        };
        Output {
            code,
            stdout: of(false),
            stderr: of(true),
        }
    }

    fn everything(&self) -> String {
        let lines = self.said.iter().map(|line| line.text.as_str());
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

fn follow(
    stream: impl Read + Send + 'static,
    error: bool,
    tell: mpsc::Sender<Line>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if tell.send(Line { error, text }).is_err() {
                return;
            }
        }
    })
}
