//! The names of headers that the `http` crate does not know, read once and not for each request.

use http::HeaderName;

pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
