//! The head of a request in room of its own.
//!
//! hyper hands out parts of the buffer that it reads into, and keeps that buffer as long as one of them
//! is kept, beside the one that it reads on with. A handler keeps the head of its request for as long
//! as it runs.

use bytes::BytesMut;
use http::{HeaderValue, Uri, request::Parts};

/// Copies what was said in the head of a request out of the buffer it came in.
pub(crate) fn apart(parts: &mut Parts) {
    let of_headers: usize = parts.headers.values().map(HeaderValue::len).sum();
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let mut room = BytesMut::with_capacity(of_headers + path.len());
    let mut copy = |said: &[u8]| {
        room.extend_from_slice(said);
        room.split().freeze()
    };
    // Any other has a name of a host too, which is rare and stays where it is.
    if parts.uri.authority().is_none()
        && let Ok(path) = Uri::from_maybe_shared(copy(path.as_bytes()))
    {
        parts.uri = path;
    }
    for value in parts.headers.values_mut() {
        // It was a value before.
        let Ok(mut kept) = HeaderValue::from_maybe_shared(copy(value.as_bytes())) else { continue };
        kept.set_sensitive(value.is_sensitive());
        *value = kept;
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, header};

    use super::*;

    /// The head of a request whose parts are those of one buffer, as hyper makes them.
    fn read(uri: &'static str) -> (BytesMut, Parts) {
        let mut buffer = BytesMut::with_capacity(8 * 1024);
        let mut part = |text: &[u8]| {
            buffer.extend_from_slice(text);
            buffer.split().freeze()
        };
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.uri = Uri::from_maybe_shared(part(uri.as_bytes())).unwrap();
        for (name, value) in [
            (header::ACCEPT, &b"text/html"[..]),
            (header::ACCEPT, b"*/*"),
            (header::USER_AGENT, b"\xe9"),
            (header::AUTHORIZATION, b"me"),
            (header::ORIGIN, b""),
        ] {
            parts.headers.append(name, HeaderValue::from_maybe_shared(part(value)).unwrap());
        }
        parts.headers.get_mut(header::AUTHORIZATION).unwrap().set_sensitive(true);
        (buffer, parts)
    }

    #[test]
    fn a_head_stays_what_it_was() {
        for uri in ["/mcp?a=b", "/", "*", "http://localhost:1/mcp", "localhost:1"] {
            let (_, mut parts) = read(uri);
            let headers = parts.headers.clone();
            apart(&mut parts);
            assert_eq!(parts.uri, uri);
            assert_eq!(parts.headers, headers);
            assert!(parts.headers[header::AUTHORIZATION].is_sensitive());
            assert!(!parts.headers[header::ACCEPT].is_sensitive());
        }
    }

    #[test]
    fn the_buffer_it_came_in_can_be_used_again() {
        let (mut buffer, mut parts) = read("/mcp");
        let free = buffer.capacity();
        assert!(!buffer.try_reclaim(free + 1), "the head is part of it");
        apart(&mut parts);
        assert!(buffer.try_reclaim(free + 1), "something of it is kept");
        drop(parts);
    }
}
