//! Lists in pages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::{ErrorData, model::PaginatedRequestParams};

use crate::freshness::Freshness;

/// A list that is shown in pages.
pub(crate) struct Paged<T> {
    /// What stands before the others on the first page, whatever the size of a page.
    pub(crate) pinned: Vec<T>,
    /// The others, in their order. Clients that follow no cursor see one page of them.
    pub(crate) listed: Vec<T>,
    /// How many of the others go on one page.
    pub(crate) size: usize,
    /// How long a page may be kept, and by whom. It is the same for all pages of a list (2026-07-28,
    /// Caching, Interaction with Pagination).
    pub(crate) fresh: Freshness,
}

/// A page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The cursor of the page after it.
    pub(crate) next: Option<String>,
    pub(crate) fresh: Freshness,
}

impl<T: Clone> Paged<T> {
    /// The page that `request` asks for.
    pub(crate) fn page(
        &self,
        request: Option<&PaginatedRequestParams>,
    ) -> Result<Page<T>, ErrorData> {
        self.page_with(request, &[])
    }

    /// The same of a list that ends with what is there for the caller alone.
    pub(crate) fn page_with(
        &self,
        request: Option<&PaginatedRequestParams>,
        own: &[T],
    ) -> Result<Page<T>, ErrorData> {
        let (range, next) = locate(request, self.listed.len() + own.len(), self.size)?;
        let pinned = if range.start == 0 { self.pinned.as_slice() } else { &[] };
        let others = self.listed.iter().chain(own).skip(range.start).take(range.len());
        let items = pinned.iter().chain(others).cloned().collect();
        Ok(Page { items, next, fresh: self.fresh })
    }
}

impl<T> Paged<T> {
    /// All of it, in its order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pinned.iter().chain(&self.listed)
    }
}

impl<T> Page<T> {
    /// The same page with each item as `change` makes it.
    pub(crate) fn map(self, change: impl FnMut(T) -> T) -> Self {
        Self { items: self.items.into_iter().map(change).collect(), ..self }
    }
}

/// The page of a list of `length` items that `request` asks for: its range, and the cursor of
/// the page after it.
///
/// A cursor is the index after the last item shown, in decimal, in base64. Clients must take it
/// as opaque, so only the cursors handed out are valid; the empty string, which the protocol
/// allows as a cursor, is none of them (Pagination, Error Handling).
fn locate(
    request: Option<&PaginatedRequestParams>,
    length: usize,
    size: usize,
) -> Result<(std::ops::Range<usize>, Option<String>), ErrorData> {
    let start = match request.and_then(|request| request.cursor.as_deref()) {
        None => 0,
        Some(cursor) => (size..length)
            .step_by(size)
            .find(|index| encode(*index) == cursor)
            .ok_or_else(invalid)?,
    };
    let end = length.min(start + size);
    Ok((start..end, (end < length).then(|| encode(end))))
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

    fn numbers(length: u32) -> Paged<u32> {
        let (pinned, listed) = (vec![1000, 2000], (0..length).collect());
        Paged { pinned, listed, size: 10, fresh: Freshness::OWN }
    }

    fn shown(length: u32, cursor: Option<&str>) -> (Vec<u32>, Option<String>) {
        let page = numbers(length).page(cursor.map(at).as_ref()).unwrap();
        assert_eq!(page.fresh, Freshness::OWN);
        (page.items, page.next)
    }

    #[test]
    fn pages_follow_each_other_and_the_first_has_what_is_pinned() {
        let first = |end| [1000, 2000].into_iter().chain(0..end).collect::<Vec<u32>>();
        assert_eq!(shown(25, None), (first(10), Some("MTA=".to_owned())));
        assert_eq!(shown(25, Some("MTA=")), ((10..20).collect(), Some("MjA=".to_owned())));
        assert_eq!(shown(25, Some("MjA=")), ((20..25).collect(), None));
        assert_eq!(shown(10, None), (first(10), None));
        assert_eq!(shown(0, None), (first(0), None));
    }

    #[test]
    fn what_is_the_callers_comes_last() {
        let page = |length, cursor: Option<&str>| {
            let page = numbers(length).page_with(cursor.map(at).as_ref(), &[7, 8]).unwrap();
            (page.items, page.next.is_some())
        };
        assert_eq!(page(1, None), (vec![1000, 2000, 0, 7, 8], false));
        let (items, more) = page(9, None);
        assert_eq!((items.len(), items[11], more), (12, 7, true));
        assert_eq!(page(9, Some("MTA=")), (vec![8], false));
        assert_eq!(page(10, Some("MTA=")), (vec![7, 8], false));
    }

    #[test]
    fn only_cursors_handed_out_are_valid() {
        // Empty, not base64, 0, 5, 25, 30, -10, 010, 10 without padding, 10 as a number.
        for bad in ["", "%", "MA==", "NQ==", "MjU=", "MzA=", "LTEw", "MDEw", "MTA", "10"] {
            let error = numbers(25).page(Some(&at(bad))).err().unwrap();
            assert_eq!(error.code, rmcp::model::ErrorCode::INVALID_PARAMS, "{bad}");
            // A list that has one page hands out none.
            assert!(numbers(10).page(Some(&at(bad))).is_err(), "{bad}");
        }
        let none = PaginatedRequestParams::default();
        assert!(numbers(10).page(Some(&none)).is_ok());
    }
}
