//! A request in room of its own.
//!
//! hyper hands out parts of the buffer that it reads into, and takes another buffer for whatever comes
//! next while one of them is kept. A handler keeps the head of its request for as long as it runs.

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Uri, request::Parts};

/// A body that is larger has a buffer of its own.
const BESIDE_A_HEAD: usize = 8 * 1024;

/// Copies what was said of a request, and a small body, out of the buffer they came in.
pub(crate) fn apart(parts: &mut Parts, body: Bytes) -> Bytes {
    let of_head: usize = parts.headers.values().map(HeaderValue::len).sum();
    let small = body.len() <= BESIDE_A_HEAD;
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let room = of_head + path.len() + if small { body.len() } else { 0 };
    let mut kept = BytesMut::with_capacity(room);
    for value in parts.headers.values() {
        kept.extend_from_slice(value.as_bytes());
    }
    kept.extend_from_slice(path.as_bytes());
    let path = path.len();
    if small {
        kept.extend_from_slice(&body);
    }
    let mut kept = kept.freeze();
    for value in parts.headers.values_mut() {
        let copy = HeaderValue::from_maybe_shared(kept.split_to(value.len()));
        // It was a value before.
        let Ok(mut copy) = copy else { continue };
        copy.set_sensitive(value.is_sensitive());
        *value = copy;
    }
    let path = kept.split_to(path);
    // Any other has a name of a host too, which is rare and stays where it is.
    if parts.uri.authority().is_none()
        && let Ok(path) = Uri::from_maybe_shared(path)
    {
        parts.uri = path;
    }
    if small { kept } else { body }
}

#[cfg(test)]
mod tests {
    use http::{Request, header};

    use super::*;

    /// A request whose head and body are parts of one buffer, as hyper makes them.
    fn read(uri: &'static str, body: &'static [u8]) -> (BytesMut, Parts, Bytes) {
        let mut buffer = BytesMut::with_capacity(64 * 1024);
        let mut part = |text: &[u8]| {
            buffer.extend_from_slice(text);
            buffer.split().freeze()
        };
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.uri = Uri::from_maybe_shared(part(uri.as_bytes())).unwrap();
        for (name, value) in
            [(header::ACCEPT, "text/html"), (header::ACCEPT, "*/*"), (header::AUTHORIZATION, "me")]
        {
            let value = HeaderValue::from_maybe_shared(part(value.as_bytes())).unwrap();
            parts.headers.append(name, value);
        }
        parts.headers.get_mut(header::AUTHORIZATION).unwrap().set_sensitive(true);
        let body = part(body);
        (buffer, parts, body)
    }

    #[test]
    fn a_request_stays_what_it_was() {
        for (uri, body) in [
            ("/mcp?a=b", &b"{}"[..]),
            ("/", b""),
            ("http://localhost:1/mcp", b"{}"),
            ("/mcp", &[b'x'; BESIDE_A_HEAD + 1]),
        ] {
            let (_, mut parts, said) = read(uri, body);
            let (headers, said) = (parts.headers.clone(), apart(&mut parts, said));
            assert_eq!(parts.uri, uri);
            assert_eq!(parts.headers, headers);
            assert!(parts.headers[header::AUTHORIZATION].is_sensitive());
            assert!(!parts.headers[header::ACCEPT].is_sensitive());
            assert_eq!(said, body);
        }
    }

    #[test]
    fn the_buffer_it_came_in_can_be_used_again() {
        let (mut buffer, mut parts, body) = read("/mcp", b"{}");
        let free = buffer.capacity();
        let body = apart(&mut parts, body);
        // Only where nothing of it is kept does it have what was split off again.
        assert!(buffer.try_reclaim(free + 1), "something of it is kept");
        drop((parts, body));
    }
}
