//! The results of the four lists.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        Icon, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
        Prompt, ProtocolVersion, Resource, ResourceTemplate, Tool,
    },
    service::RequestContext,
};

use crate::{
    paging::Page,
    stamp::{Cacheable, Stamp},
    wire::Wire,
};

/// A list's result.
pub(crate) trait List: Cacheable {
    type Item: Pictured;

    fn new(items: Vec<Self::Item>, next: Option<String>) -> Self;
}

/// What has icons.
pub(crate) trait Pictured {
    fn icons(&mut self) -> &mut Option<Vec<Icon>>;
}

macro_rules! lists {
    ($($result:ident of $item:ident),+ $(,)?) => {
        $(
            impl List for $result {
                type Item = $item;

                fn new(items: Vec<$item>, next: Option<String>) -> Self {
                    let mut result = Self::with_all_items(items);
                    result.next_cursor = next;
                    result
                }
            }

            impl Pictured for $item {
                fn icons(&mut self) -> &mut Option<Vec<Icon>> {
                    &mut self.icons
                }
            }
        )+
    };
}

lists!(
    ListPromptsResult of Prompt,
    ListResourceTemplatesResult of ResourceTemplate,
    ListResourcesResult of Resource,
    ListToolsResult of Tool,
);

/// Whether a client of `version` knows icons. Those of older revisions are not sent any: they would
/// be the larger part of a list.
pub(crate) fn knows_icons(version: &ProtocolVersion) -> bool {
    *version >= ProtocolVersion::V_2025_11_25
}

/// A page as the result for the client that asks.
pub(crate) fn answer<R: List>(
    stamp: &Stamp,
    context: &RequestContext<RoleServer>,
    page: Page<R::Item>,
) -> Result<R, ErrorData> {
    let wire = Wire::of(context)?;
    let Page { mut items, next, fresh } = page;
    if !context.protocol_version().is_some_and(|version| knows_icons(&version)) {
        for item in &mut items {
            *item.icons() = None;
        }
    }
    Ok(stamp.put_cacheable(wire, fresh, R::new(items, next)))
}
