//! The names of sessions, calls and instances.
//!
//! All are made of random bits and have one written form each. What a client sends is parsed into
//! them before it touches a key or a channel name, so that a hostile identifier never does.

use std::{fmt, str::FromStr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

use crate::Random;

/// A text that is not the written form of an identifier.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not an identifier of this server")]
pub struct InvalidId;

/// A session, the value of `Mcp-Session-Id`: a random (version 4) UUID in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(u128);

impl SessionId {
    /// A new, unguessable one.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            id >> 96,
            (id >> 80) & 0xffff,
            (id >> 64) & 0xffff,
            (id >> 48) & 0xffff,
            id & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const DASHES: [usize; 4] = [8, 13, 18, 23];
        if text.len() != 36 {
            return Err(InvalidId);
        }
        let mut id = 0_u128;
        for (position, byte) in text.bytes().enumerate() {
            let digit = match byte {
                b'-' if DASHES.contains(&position) => continue,
                _ if DASHES.contains(&position) => return Err(InvalidId),
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(InvalidId),
            };
            id = (id << 4) | u128::from(digit);
        }
        Ok(Self(id))
    }
}

/// Declares a name that is random bits, written in base64url.
macro_rules! random_name {
    ($(#[doc = $doc:literal])+ $name:ident, $bytes:literal bytes, $length:literal characters) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; Self::BYTES]);

        impl $name {
            const BYTES: usize = $bytes;
            /// The length of the written form.
            pub const LENGTH: usize = $length;

            /// A new, unguessable one.
            pub fn random(random: &dyn Random) -> Self {
                let mut bytes = [0; Self::BYTES];
                random.fill(&mut bytes);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; Self::LENGTH];
                URL_SAFE_NO_PAD.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let mut bytes = [0; Self::BYTES];
                if text.len() != Self::LENGTH {
                    return Err(InvalidId);
                }
                match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
                    Ok(Self::BYTES) => Ok(Self(bytes)),
                    Ok(_) | Err(_) => Err(InvalidId),
                }
            }
        }
    };
}

random_name! {
    /// One call of a session: 96 random bits, 16 characters of base64url.
    ///
    /// A client's own request id never names anything kept: two clients, or one that starts
    /// counting again, use the same ids.
    CallId, 12 bytes, 16 characters
}

random_name! {
    /// One task, the value of `taskId`: 144 random bits, 24 characters of base64url. Whoever knows
    /// it still has to be its owner.
    TaskId, 18 bytes, 24 characters
}

random_name! {
    /// One elicitation in URL mode, the value of `elicitationId`: 144 random bits, 24 characters of
    /// base64url. Whoever knows it still has to be its user.
    ElicitationId, 18 bytes, 24 characters
}

/// One running process: a name for people and a random part for each start, so that what an
/// earlier process of that name left behind is never taken for its successor's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// A new one for a process called `name`.
    pub fn random(name: &str, random: &dyn Random) -> Self {
        let start = random.token::<6>();
        Self(format!("{name}.{start}").into())
    }

    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As a store gives it back.
impl FromStr for InstanceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (name, start) = text.rsplit_once('.').ok_or(InvalidId)?;
        if name.is_empty() || start.is_empty() {
            return Err(InvalidId);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestRandom;

    #[test]
    fn a_session_id_is_a_version_4_uuid_and_reads_back() {
        let random = TestRandom::seeded(1);
        for _ in 0..100 {
            let id = SessionId::random(&random);
            let text = id.to_string();
            assert_eq!(text.as_bytes()[14], b'4', "{text}");
            assert!(b"89ab".contains(&text.as_bytes()[19]), "{text}");
            assert_eq!(text.parse(), Ok(id));
        }
    }

    #[test]
    fn only_the_written_form_of_a_session_id_is_read() {
        let good = "0123abcd-0123-4123-8123-0123456789ab";
        assert!(good.parse::<SessionId>().is_ok());
        for bad in [
            "",
            "__GET_stream",
            "0123ABCD-0123-4123-8123-0123456789AB",
            "0123abcd00123-4123-8123-0123456789ab",
            "0123abcd-0123-4123-8123-0123456789a",
            "0123abcd-0123-4123-8123-0123456789abc",
            "0123abcd-0123-4123-8123-012345678-ab",
            "é123abcd-0123-4123-8123-0123456789a",
        ] {
            assert_eq!(bad.parse::<SessionId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn a_call_id_reads_back_and_nothing_else_does() {
        let id = CallId::random(&TestRandom::seeded(2));
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA!"] {
            assert_eq!(bad.parse::<CallId>(), Err(InvalidId), "{bad}");
        }
    }
}
