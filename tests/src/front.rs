//! A front before a server that speaks HTTP: it fails as often as it is told to, and passes everything else on.

use std::collections::VecDeque;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::raw::{announced, read_head};

/// It listens for as long as the test's process lives.
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    failures: Arc<Mutex<VecDeque<Vec<u8>>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Front {
    /// Starts one before `server`, which it asks for each request anew.
    ///
    /// # Panics
    /// If it cannot listen.
    #[must_use]
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            address: listener.local_addr().unwrap(),
            failures: Arc::default(),
            seen: Arc::default(),
        };
        let (failures, seen) = (front.failures.clone(), front.seen.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (failures, seen) = (failures.clone(), seen.clone());
                thread::spawn(move || pass(stream, server, &failures, &seen));
            }
        });
        front
    }

    /// The next requests are answered so, one with each of these, and none of them reaches the server. An empty answer is a
    /// connection that ends without one.
    ///
    /// # Panics
    /// If a thread of its own did.
    pub fn fail(&self, answers: &[&str]) {
        let answers = answers.iter().map(|answer| answer.as_bytes().to_vec());
        self.failures.lock().unwrap().extend(answers);
    }

    /// The first lines of the requests that reached the server.
    ///
    /// # Panics
    /// If a thread of its own did.
    #[must_use]
    pub fn passed(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// One request of a connection, which ends with its answer.
fn pass(
    stream: TcpStream,
    server: SocketAddr,
    failures: &Mutex<VecDeque<Vec<u8>>>,
    seen: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream);
    let head = read_head(&mut reader);
    let Some(line) = head.first() else {
        return;
    };
    let mut body = Vec::new();
    let length = announced(&head).unwrap_or(0);
    let _ = reader.by_ref().take(length).read_to_end(&mut body);
    let failure = failures.lock().unwrap().pop_front();
    if let Some(failure) = failure {
        let _ = reader.get_mut().write_all(&failure);
        return;
    }
    seen.lock().unwrap().push(line.clone());
    let mut server = TcpStream::connect(server).unwrap();
    let mut request = head.join("\r\n");
    request.push_str("\r\nconnection: close\r\n\r\n");
    server.write_all(request.as_bytes()).unwrap();
    server.write_all(&body).unwrap();
    let _ = std::io::copy(&mut server, reader.get_mut());
}
