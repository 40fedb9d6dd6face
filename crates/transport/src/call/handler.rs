//! The handler of a call's request.
//!
//! Its answer goes out at once. What it said before and did not wait for may come later, and is lost
//! then: rmcp's loop takes it along.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use futures::{FutureExt as _, TryFutureExt as _};
use rmcp::{
    ErrorData, Peer, RoleServer, ServerHandler,
    model::{
        ClientRequest, GetExtensions as _, GetMeta as _, JsonRpcRequest, ServerJsonRpcMessage,
        ServerResult,
    },
    service::{RequestContext, Service},
};
use tokio_util::sync::CancellationToken;

use super::{Call, Outgoing};
use crate::{
    guard::{Guarded, panicked},
    queue::Sender,
};

/// A handler at work. Its answer is the last that it puts into the call's outbox.
pub(super) type Handler = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Lets a handler serve a request, and puts its answer into the outbox of the call. One that was
/// cancelled must not have any ("Cancellation"): its call is over without.
pub(super) fn serve<H: ServerHandler>(
    handler: Arc<Guarded<H>>,
    request: JsonRpcRequest<ClientRequest>,
    peer: Peer<RoleServer>,
    call: Arc<Call>,
    outgoing: Sender<Outgoing>,
    grace: Duration,
) -> Handler {
    let JsonRpcRequest { id, mut request, .. } = request;
    let method = request.method().to_owned();
    let mut context = RequestContext::new(id.clone(), peer);
    context.ct = call.stop.clone();
    // The metadata is among the extensions, and taken out of them first.
    context.meta = std::mem::take(request.get_meta_mut());
    context.extensions = std::mem::take(request.extensions_mut());
    Box::pin(async move {
        // rmcp's future has room for every method: boxed, or whatever it is part of is as large.
        let served = Box::pin(Service::handle_request(&*handler, request, context));
        let served = AssertUnwindSafe(served).catch_unwind();
        let served = served.unwrap_or_else(|panic| Err(panicked(&method, &*panic)));
        // Of a call in a session its writer sees to that, and has last words for it.
        let revoked = async {
            if call.session.is_none() {
                call.lease.revoked().await;
                call.stop.cancel();
            }
            std::future::pending().await
        };
        let served = async {
            tokio::select! {
                biased;
                served = within_grace(served, &call.stop, grace) => served,
                never = revoked => never,
            }
        };
        let answer = match served.await {
            _ if call.was_cancelled() => return call.abort.cancel(),
            Ok(result) => ServerJsonRpcMessage::response(result, id),
            Err(error) => ServerJsonRpcMessage::error(error, Some(id)),
        };
        // Nobody may be left to take it.
        let _ = outgoing.put(Outgoing::message(answer));
    })
}

/// Drops a handler that goes on for longer than `grace` after it was cancelled.
pub(crate) async fn within_grace(
    handler: impl Future<Output = Result<ServerResult, ErrorData>>,
    cancelled: &CancellationToken,
    grace: Duration,
) -> Result<ServerResult, ErrorData> {
    tokio::select! {
        biased;
        result = handler => result,
        () = async { cancelled.cancelled().await; tokio::time::sleep(grace).await } => {
            Err(ErrorData::internal_error("cancelled", None))
        }
    }
}
