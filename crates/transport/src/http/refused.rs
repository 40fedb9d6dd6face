//! Refusals in a word each.

use mcp_everything_store::Refused;

use super::Refusal;

/// Every word that [`Refused`] may hold in a response of an endpoint. What a gate or a tool said in
/// its place has its own.
pub const REFUSALS: [&str; 23] = [
    "body_too_large",
    "body_too_slow",
    "body_unreadable",
    "header_mismatch",
    "host_not_allowed",
    "internal",
    "invalid_params",
    "invalid_request",
    "method_not_allowed",
    "no_tasks",
    "not_acceptable",
    "not_json",
    "nothing_to_resume",
    "origin_not_allowed",
    "other",
    "parse_error",
    "session_not_found",
    "session_required",
    "stream_full",
    "too_many",
    "too_often",
    "unavailable",
    "unsupported_version",
];

impl Refusal {
    pub(super) const fn refused(&self) -> Refused {
        Refused(match self {
            Self::HostNotAllowed { .. } => "host_not_allowed",
            Self::OriginNotAllowed { .. } => "origin_not_allowed",
            Self::MethodNotAllowed(..) => "method_not_allowed",
            Self::PostNotAcceptable | Self::GetNotAcceptable => "not_acceptable",
            Self::NotJson => "not_json",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyUnreadable => "body_unreadable",
            Self::BodyTooSlow => "body_too_slow",
            Self::Gate(_) | Self::Instead(_) => "other",
            Self::ParseError { .. } => "parse_error",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::InvalidParams { .. } | Self::MetaMissing { .. } => "invalid_params",
            Self::HeaderMismatch { .. } => "header_mismatch",
            Self::NoTasks { .. } => "no_tasks",
            Self::UnsupportedVersion { .. } => "unsupported_version",
            Self::SessionRequired { .. } | Self::EndpointRequired { .. } => "session_required",
            Self::StreamFull { .. } => "stream_full",
            Self::SessionNotFound { .. } => "session_not_found",
            Self::NothingToResume { .. } => "nothing_to_resume",
            Self::TooMany { .. } => "too_many",
            Self::TooOften { .. } => return Refused::TOO_OFTEN,
            Self::Unavailable { .. } => "unavailable",
            Self::Internal { .. } => "internal",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_has_every_word() {
        const SOURCE: &str = include_str!("refused.rs");
        let (_, words) = SOURCE.split_once("match self {").unwrap();
        let (words, _) = words.split_once("})").unwrap();
        let words = words.split('"').skip(1).step_by(2).chain([Refused::TOO_OFTEN.0]);
        assert_eq!(words.collect::<BTreeSet<_>>(), BTreeSet::from(REFUSALS));
    }
}
