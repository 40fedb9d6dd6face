//! A Redis of a test's own.

#![expect(clippy::missing_panics_doc, reason = "it is for tests")]

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::Instant;

use super::ports::free_port;
use crate::{SessionId, SystemRandom};

/// How long a server, or several together, may take to start.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A `redis-server` on a port of its own. It ends with the test, also when that fails.
#[derive(Debug)]
pub struct RedisServer {
    child: Option<Child>,
    arguments: Vec<String>,
    port: u16,
    /// Where it writes what it has to write.
    folder: PathBuf,
}

/// What keeps a server from writing what it need not.
const FORGETFUL: [&str; 4] = ["--save", "", "--appendonly", "no"];

impl RedisServer {
    /// Starts one that keeps nothing on disk.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with these arguments besides.
    pub fn with(arguments: &[&str]) -> Self {
        let arguments = FORGETFUL.iter().chain(arguments).map(|text| (*text).to_owned());
        let mut server = Self::of(arguments.collect());
        server.run();
        server
    }

    /// Starts one that watches over others, as its configuration says.
    pub(super) fn sentinel(configuration: &str) -> Self {
        let mut server = Self::of(Vec::new());
        let file = server.folder.join("sentinel.conf");
        fs::write(&file, configuration).expect("it can be written");
        server.arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        server.run();
        server
    }

    fn of(arguments: Vec<String>) -> Self {
        let port = free_port();
        let folder = env::temp_dir().join(format!("redis-{}-{port}", std::process::id()));
        fs::create_dir(&folder).expect("nobody has that folder");
        Self { child: None, arguments, port, folder }
    }

    /// The port it listens on, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, with everything it has.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again, on the same port, and empty unless it keeps an append-only file.
    pub fn run(&mut self) {
        self.kill();
        // What a replica got from its master.
        let _ = fs::remove_file(self.folder.join("dump.rdb"));
        let mut command = Command::new("redis-server");
        // A sentinel's file comes first.
        command.args(&self.arguments).args(["--port", &self.port.to_string()]);
        command
            .arg("--dir")
            .arg(&self.folder)
            .args(["--bind", "127.0.0.1", "--loglevel", "warning"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.spawn().expect("redis-server is installed (`make tools`)");
        self.child = Some(child);
        let started = Instant::now();
        while self.ask(&["PING"]).is_err() {
            assert!(started.elapsed() < PATIENCE, "redis-server answers");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it without ending it: connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Sends one command and returns the answer as it is on the wire.
    pub fn ask(&self, command: &[&str]) -> io::Result<String> {
        let mut connection = self.send(command)?;
        let mut answer = String::new();
        read_answer(&mut connection, &mut answer)?;
        if answer.starts_with('-') {
            return Err(io::Error::other(answer));
        }
        Ok(answer)
    }

    fn send(&self, command: &[&str]) -> io::Result<BufReader<TcpStream>> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("*{}\r\n", command.len());
        for part in command {
            let _ = write!(request, "${}\r\n{part}\r\n", part.len());
        }
        connection.write_all(request.as_bytes())?;
        Ok(BufReader::new(connection))
    }

    /// Has every instance forget what it believes for a moment, and waits until they have, which are
    /// other processes. So is what they do next what they would do a second later.
    pub fn forgotten(&self) {
        const WHO: &str = "test.0";
        let channel = format!("{{cluster:inst}}:{WHO}");
        let mut heard = self.send(&["SUBSCRIBE", &channel]).expect("it answers");
        let mut next = || read_answer(&mut heard, &mut String::new()).expect("it is heard");
        next();
        self.ask(&["PUBLISH", "cluster:bus", "1 missed"]).expect("it answers");
        // Of any session: who has heard of it has heard what was said before.
        let notice = format!("1 over session {} 0 {WHO}", SessionId::random(&SystemRandom));
        for _ in 0..self.number(&["PUBLISH", "cluster:bus", &notice]) {
            next();
        }
    }

    /// Sends a command that is answered by a number.
    pub fn number(&self, command: &[&str]) -> i64 {
        let answer = self.ask(command).expect("it answers");
        answer.trim().trim_start_matches(':').parse().expect("a number")
    }

    /// Waits until it has a key that it may only read: `WAIT` on another connection than the one
    /// that wrote waits for nothing.
    pub fn gets(&self, key: &str) {
        self.until("the replica has it", |server| {
            server.ask(&["KEYS", key]).is_ok_and(|found| found.contains(key))
        });
    }

    /// Waits until something is so that comes by itself.
    pub(super) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether what `INFO` says of a section has this line.
    pub fn says(&self, section: &str, line: &str) -> bool {
        self.ask(&["INFO", section]).is_ok_and(|info| info.lines().any(|said| said == line))
    }

    /// Makes everything in it older: what would have expired meanwhile is gone.
    pub fn age(&self, span: Duration) {
        const OLDER: &str = r"
            for _, key in ipairs(redis.call('KEYS', '*')) do
              local left = redis.call('PTTL', key)
              if left >= 0 then
                if left <= tonumber(ARGV[1]) then
                  redis.call('DEL', key)
                else
                  redis.call('PEXPIRE', key, left - ARGV[1])
                end
              end
              if redis.call('TYPE', key).ok == 'zset' then
                for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
                  redis.call('ZINCRBY', key, -ARGV[1], member)
                end
              end
            end";
        let span = span.as_millis().to_string();
        self.ask(&["EVAL", OLDER, "0", &span]).expect("it answers");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Reads one answer as it is on the wire.
fn read_answer(from: &mut impl io::BufRead, answer: &mut String) -> io::Result<()> {
    let start = answer.len();
    if from.read_line(answer)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = answer[start..].trim_end();
    let length = line.get(1..).and_then(|length| length.parse::<u64>().ok());
    match (line.as_bytes().first(), length) {
        (Some(b'$'), Some(bytes)) => {
            from.by_ref().take(bytes + 2).read_to_string(answer)?;
        }
        (Some(b'*'), Some(answers)) => {
            for _ in 0..answers {
                read_answer(from, answer)?;
            }
        }
        _ => {}
    }
    Ok(())
}
