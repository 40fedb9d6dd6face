//! One server: over TLS, with a password, with a user that may do what is needed and no more.

use std::{env, fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

use mcp_everything_store::{
    Bus as _, Change, ChangeLog as _, NewTask, Sessions as _, Shelf, Shelves as _, SystemRandom,
    TaskId, Tasks as _, Timestamp, User,
    contract::{ports::free_port, redis_server::RedisServer},
    redis::{Redis, RedisAddress, Unreachable},
};

use crate::{
    page::PAGE,
    support::{Instance, fails},
};

/// A key, and a certificate of it that it signed itself.
struct Certificate(PathBuf);

impl Certificate {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("redis-tls-{}", free_port()));
        fs::create_dir(&folder).unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&folder)
            .output()
            .expect("openssl is installed (`make tools`)");
        assert!(made.status.success(), "{made:?}");
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn one_is_reached_over_tls_by_whoever_trusts_it() {
    let (certificate, port) = (Certificate::new(), free_port().to_string());
    let file = |name| certificate.file(name).display().to_string();
    let (key, cert) = (file("key.pem"), file("cert.pem"));
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", "no"];
    arguments.extend(["--tls-key-file", &key, "--tls-cert-file", &cert]);
    // Only those who are asked for a certificate of their own need one to check it by.
    arguments.extend(["--tls-ca-cert-file", &cert]);
    let _server = RedisServer::with(&arguments);
    let address: RedisAddress = format!("rediss://127.0.0.1:{port}").parse().unwrap();
    let trusting = address.clone().with_tls(Some(certificate.file("cert.pem")));
    Instance::at(&trusting).await.serves_again().await;
    let other = Certificate::new();
    let doubting = address.clone().with_tls(Some(other.file("cert.pem")));
    for address in [address, doubting] {
        let redis = Redis::connect(&address, Arc::new(())).unwrap();
        fails(redis.ping()).await;
        assert!(matches!(redis.reach().await, Err(Unreachable::Refused { .. })));
    }
}

#[tokio::test]
async fn one_may_have_a_password() {
    let server = RedisServer::start();
    server.ask(&["CONFIG", "SET", "requirepass", "p@ss word"]).unwrap();
    let url = format!("redis://:p%40ss%20word@127.0.0.1:{}", server.port());
    Instance::start(&url).await.serves_again().await;
    let address: RedisAddress = server.url().parse().unwrap();
    Instance::at(&address.clone().with_password("p@ss word")).await.serves_again().await;
    for address in [address.clone(), address.with_password("another")] {
        fails(Redis::connect(&address, Arc::new(())).unwrap().ping()).await;
    }
}

#[tokio::test]
async fn one_may_allow_what_the_page_says_and_no_more() {
    let server = RedisServer::start();
    let line = PAGE.lines().find(|line| line.starts_with("ACL SETUSER ")).unwrap();
    let line = line.replace("PASSWORD", "secret");
    server.ask(&line.split_whitespace().collect::<Vec<_>>()).unwrap();
    server.ask(&["ACL", "SETUSER", "default", "off"]).unwrap();
    let url = format!("redis://mcp-everything:secret@127.0.0.1:{}", server.port());
    let mut one = Instance::start(&url).await;
    one.serves_again().await;
    one.knows(&one.id, true).await;
    let id = one.serves().await.unwrap();
    let _attended = one.bus.attend(id);
    one.store.record(&Change::Tools.into()).await.unwrap();
    let user = User::from(&crate::support::owner());
    assert_eq!(one.store.shelf(&user).await.unwrap(), Shelf::default());
    let task = NewTask {
        id: TaskId::random(&SystemRandom),
        owner: crate::support::owner(),
        instance: one.id.clone(),
        at: Timestamp::from_millis(1),
        life: Duration::from_secs(60),
    };
    one.store.begin_task(task).await.unwrap();
    assert!(one.store.delete(id, &crate::support::owner()).await.unwrap());
    one.serves_again().await;
}
