//! Requests that are refused before all of them has come, as by clients that send the head and the
//! body one after the other. They keep the connection, and send the next request on it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
};

use crate::support::{BOUND, Server};

/// A POST without a token, up to its body.
fn head(server: &Server, length: usize) -> String {
    let host = server.base.strip_prefix("http://").unwrap();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

fn connect(server: &Server) -> TcpStream {
    let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, server.instances[0].port)).unwrap();
    connection.set_read_timeout(Some(BOUND)).unwrap();
    connection
}

/// An answer with a body of known length; its head in small letters.
fn answer(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut next = |count: usize, read: &mut Vec<u8>| {
        let from = read.len();
        read.resize(from + count, 0);
        connection.read_exact(&mut read[from..]).expect("the connection is kept");
    };
    while !read.ends_with(b"\r\n\r\n") {
        next(1, &mut read);
    }
    let head = String::from_utf8(read.clone()).unwrap().to_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.split_once('\r').unwrap().0;
    next(length.parse().unwrap(), &mut read);
    head
}

#[test]
fn the_connection_is_kept() {
    let server = Server::start();
    let mut connection = connect(&server);
    connection.write_all(head(&server, 2).as_bytes()).unwrap();
    server.logged("auth.token.rejected");
    connection.write_all(b"{}").unwrap();
    let refused = answer(&mut connection);
    assert!(refused.starts_with("http/1.1 401 ") && !refused.contains("connection: close"));
    connection.write_all(head(&server, 2).as_bytes()).unwrap();
    connection.write_all(b"{}").unwrap();
    assert!(answer(&mut connection).starts_with("http/1.1 401 "), "the next request is answered");
}

#[test]
fn what_is_long_is_not_waited_for_and_the_answer_says_so() {
    let server = Server::start();
    let mut connection = connect(&server);
    connection.write_all(head(&server, 1_000_000).as_bytes()).unwrap();
    let refused = answer(&mut connection);
    assert!(refused.starts_with("http/1.1 401 ") && refused.contains("connection: close"));
}

/// A head that never ends is kept until its connection is closed, before anybody knows whose it is.
#[test]
fn a_head_is_as_long_as_heads_are() {
    let server = Server::start();
    let fits = format!("x-long: {}\r\n\r\n", "x".repeat(16 * 1024));
    let mut connection = connect(&server);
    connection.write_all(head(&server, 0).trim_end().as_bytes()).unwrap();
    connection.write_all(format!("\r\n{fits}").as_bytes()).unwrap();
    assert!(answer(&mut connection).starts_with("http/1.1 401 "));
    let mut connection = connect(&server);
    let endless = format!("{}\r\nx-long: {}", head(&server, 0).trim_end(), "x".repeat(64 * 1024));
    // It is closed before all of it is sent, or not.
    let _ = connection.write_all(endless.as_bytes());
    let mut refused = Vec::new();
    // What was sent and not read makes a close a reset, which may take the answer along.
    match connection.read_to_end(&mut refused) {
        Ok(_) => assert!(refused.starts_with(b"HTTP/1.1 431 ")),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it is closed"),
    }
}
