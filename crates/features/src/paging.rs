//! Lists in pages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::{ErrorData, model::PaginatedRequestParams};

/// How many items of a list go on one page.
pub(crate) const PAGE_SIZE: usize = 10;

/// The page of a list of `length` items that `request` asks for: its range, and the cursor of
/// the page after it.
///
/// A cursor is the index after the last item shown, in decimal, in base64. Clients must take it
/// as opaque, so only the cursors handed out are valid; the empty string, which the protocol
/// allows as a cursor, is none of them (Pagination, Error Handling).
pub(crate) fn page(
    request: Option<&PaginatedRequestParams>,
    length: usize,
) -> Result<(std::ops::Range<usize>, Option<String>), ErrorData> {
    let start = match cursor(request) {
        None => 0,
        Some(cursor) => (PAGE_SIZE..length)
            .step_by(PAGE_SIZE)
            .find(|index| encode(*index) == cursor)
            .ok_or_else(invalid)?,
    };
    let end = length.min(start + PAGE_SIZE);
    Ok((start..end, (end < length).then(|| encode(end))))
}

/// Refuses any cursor: the list has one page.
pub(crate) fn single(request: Option<&PaginatedRequestParams>) -> Result<(), ErrorData> {
    cursor(request).map_or(Ok(()), |_| Err(invalid()))
}

fn cursor(request: Option<&PaginatedRequestParams>) -> Option<&str> {
    request.and_then(|request| request.cursor.as_deref())
}

fn encode(index: usize) -> String {
    STANDARD.encode(index.to_string())
}

fn invalid() -> ErrorData {
    ErrorData::invalid_params("cursor is not one that this list handed out", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cursor: &str) -> PaginatedRequestParams {
        PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()))
    }

    #[test]
    fn pages_follow_each_other() {
        assert_eq!(page(None, 25).unwrap(), (0..10, Some("MTA=".to_owned())));
        assert_eq!(page(Some(&at("MTA=")), 25).unwrap(), (10..20, Some("MjA=".to_owned())));
        assert_eq!(page(Some(&at("MjA=")), 25).unwrap(), (20..25, None));
        assert_eq!(page(None, 10).unwrap(), (0..10, None));
        assert_eq!(page(None, 0).unwrap(), (0..0, None));
    }

    #[test]
    fn only_cursors_handed_out_are_valid() {
        // Empty, not base64, 0, 5, 25, 30, -10, 010, 10 without padding, 10 as a number.
        for bad in ["", "%", "MA==", "NQ==", "MjU=", "MzA=", "LTEw", "MDEw", "MTA", "10"] {
            let error = page(Some(&at(bad)), 25).unwrap_err();
            assert_eq!(error.code, rmcp::model::ErrorCode::INVALID_PARAMS, "{bad}");
            assert!(single(Some(&at(bad))).is_err(), "{bad}");
        }
        assert!(single(None).is_ok());
        assert!(single(Some(&PaginatedRequestParams::default())).is_ok());
    }
}
