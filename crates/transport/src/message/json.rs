//! Writing messages as JSON.

use std::cell::RefCell;

use bytes::Bytes;
use serde::Serialize;

/// How much a thread keeps to write into, in bytes. Few messages are larger.
const KEPT: usize = 16 * 1024;

/// A message as JSON, in as much room as that takes: it may be kept for as long as its call runs, and
/// what grows while it is written has up to twice the room.
pub(crate) fn json(message: &impl Serialize) -> serde_json::Result<Bytes> {
    thread_local! {
        static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    // Taken, as a message may be written while another is.
    let mut written = WRITTEN.take();
    written.clear();
    let json = serde_json::to_writer(&mut written, message);
    let json = json.map(|()| Bytes::copy_from_slice(&written));
    if written.capacity() <= KEPT {
        WRITTEN.set(written);
    }
    json
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_of_one_message_is_in_the_next() {
        let long = json!({ "text": "x".repeat(2 * KEPT) });
        for message in [json!({ "a": 1 }), long, json!([]), json!({ "a": 1 })] {
            assert_eq!(super::json(&message).unwrap(), message.to_string());
        }
    }
}
