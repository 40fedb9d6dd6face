//! The experimental tasks of 2025-11-25 (SEP-1686): their client asks for them by the call, lists
//! them, and waits for their results.

mod end;
mod result;
mod tell;

use std::{sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, ErrorCode, PaginatedRequestParams},
    service::RequestContext,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::{
    end::say_end,
    tell::{RELATED, related},
};
use super::{Generation, LIFE, RunningTask, Task, TaskEnd, Tasks, Terms, tell::unknown_task};
use crate::{
    error::unknown,
    everything::Everything,
    request_state::State,
    text::quoted,
    tool::TaskSupport,
    untyped::{read, unknown_method},
};

/// The shortest life of a task: whoever asks for less could not ask about it in time.
const SHORTEST: Duration = Duration::from_secs(1);
/// How many tasks go on one page.
const PAGE: usize = 10;

/// What `initialize` says of them.
pub(crate) fn capability() -> Value {
    json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } })
}

/// The part of a request that asks for a task.
#[derive(Deserialize)]
pub(crate) struct Augmentation {
    task: Wish,
}

#[derive(Deserialize)]
struct Wish {
    /// How long the task should be kept, in milliseconds from its beginning.
    ttl: Option<u64>,
}

impl Wish {
    fn life(&self) -> Duration {
        self.ttl.map_or(LIFE, |ttl| Duration::from_millis(ttl).clamp(SHORTEST, LIFE))
    }
}

/// For a tool that runs as nothing else (2025-11-25, Tasks, Tool-Level Negotiation).
pub(crate) fn required(tool: &str) -> ErrorData {
    let reason = format!("{} runs as a task only: the call needs `task`", quoted(tool));
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, reason, None)
}

impl Everything {
    /// Begins a task for a call that asks for it.
    pub(crate) async fn begin_experimental_task(
        &self,
        request: CallToolRequestParams,
        augmentation: Augmentation,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, ErrorData> {
        let keeper = self.experimental(context).ok_or_else(|| unknown_method("tools/call"))?;
        let tools = &self.shared.tools;
        if tools.definition(&request.name).is_none() {
            return Err(unknown("tool", &request.name));
        }
        if tools.task_support(&request.name) == TaskSupport::Never {
            let reason = format!("{} does not run as a task", quoted(&request.name));
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, reason, None));
        }
        let (generation, life) = (Generation::Experimental, augmentation.task.life());
        let terms = Terms { generation, life, known: State::default() };
        let task = super::begin(self, keeper, request, context, terms).await?;
        Ok(tell::created(&*task, life))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    task_id: String,
}

/// Answers a method of the tasks.
pub(crate) async fn answer(
    server: &Everything,
    keeper: &Arc<dyn Tasks>,
    method: &str,
    params: Option<Value>,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    let caller = (server.shared.origin)(&context.extensions).caller;
    let caller = caller.as_ref();
    match method {
        "tasks/get" => {
            let Named { task_id } = read(params)?;
            let task = keeper.find(caller, &task_id).await?;
            Ok(tell::shown(&task.ok_or_else(unknown_task)?))
        }
        "tasks/result" => {
            let Named { task_id } = read(params)?;
            let task = keeper.find(caller, &task_id).await?.ok_or_else(unknown_task)?;
            result::wait(&**keeper, caller, task, context).await
        }
        "tasks/list" => {
            let params: PaginatedRequestParams = read(params)?;
            let page = keeper.list(caller, params.cursor.as_deref(), PAGE).await?;
            let page = page.ok_or_else(|| {
                ErrorData::invalid_params("cursor is not one that this list handed out", None)
            })?;
            let mut result = json!({
                "tasks": page.tasks.iter().map(tell::shown).collect::<Vec<_>>(),
            });
            if let Some(next) = page.next {
                result["nextCursor"] = next.into();
            }
            Ok(result)
        }
        "tasks/cancel" => {
            let Named { task_id } = read(params)?;
            let task = keeper.find(caller, &task_id).await?.ok_or_else(unknown_task)?;
            if task.end.is_some() {
                return Err(has_ended(&task));
            }
            keeper.cancel(caller, &task_id).await?;
            let task = keeper.find(caller, &task_id).await?.ok_or_else(unknown_task)?;
            match task.end {
                Some(TaskEnd::Cancelled) => Ok(tell::shown(&task)),
                // It ended by itself just then.
                Some(TaskEnd::Completed(_) | TaskEnd::Failed(_)) | None => Err(has_ended(&task)),
            }
        }
        _ => Err(unknown_method(method)),
    }
}

fn has_ended(task: &Task) -> ErrorData {
    let status = tell::status(task);
    let reason = format!("Cannot cancel the task: it has the status '{status}' already");
    ErrorData::invalid_params(reason, None)
}
