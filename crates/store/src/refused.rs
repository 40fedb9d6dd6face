//! Why a request was refused, for whoever counts that.

/// In the extensions of a response that refuses a request: why, in a word that does not change and
/// has nothing of the request in it. For the log and for metrics; clients are told in the ways of
/// their protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl Refused {
    /// A limit is exceeded, which has a line of its own in the log.
    pub const TOO_OFTEN: Self = Self("too_often");
}
