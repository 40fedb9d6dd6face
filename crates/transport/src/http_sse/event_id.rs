//! The ids of the stream's events. A client that comes back sends nothing but the last of them, so
//! each says which session it is of: `{session}.{n}`.

use std::fmt;

use mcp_everything_store::{Position, SessionId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamEventId {
    pub(crate) session: SessionId,
    pub(crate) position: Position,
}

impl fmt::Display for StreamEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.session, self.position.0)
    }
}

impl StreamEventId {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (session, position) = text.split_once('.')?;
        // Digits only: the standard parser takes a sign too.
        let digits = position.bytes().all(|byte| byte.is_ascii_digit());
        let position = digits.then(|| position.parse().ok()).flatten().map(Position)?;
        Some(Self { session: session.parse().ok()?, position })
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestRandom;

    use super::*;

    #[test]
    fn ids_read_back_and_nothing_else_does() {
        let session = SessionId::random(&TestRandom::seeded(1));
        let id = StreamEventId { session, position: Position(u64::MAX) };
        assert_eq!(StreamEventId::parse(&id.to_string()), Some(id));
        for text in
            ["", "s.1", &format!("{session}"), &format!("{session}."), &format!("{session}.+1")]
        {
            assert_eq!(StreamEventId::parse(text), None, "{text}");
        }
    }
}
