//! Tools that misbehave, for those who write clients: `docs/fault-tools.md`.
//!
//! Each is the file of its name. They are there only where the embedding server says how they reach
//! the exchange that carries their call ([`Options::faults`](crate::Options::faults)).

mod exchange;
mod fault_delay;
mod fault_http;
mod fault_instance;
mod fault_json_rpc;
mod fault_message;
mod fault_notification;
mod fault_result;
mod fault_stream;
mod fault_structured;
mod place;

pub use self::exchange::{Challenge, Delivery, FaultHook, FaultyWire, HttpAnswer};
use crate::registry::Candidate;

/// The names of the tools that misbehave: their calls need a [`FaultyWire`].
pub const FAULT_TOOLS: [&str; 9] = [
    "faultDelay",
    "faultStream",
    "faultMessage",
    "faultHttp",
    "faultJsonRpc",
    "faultResult",
    "faultStructured",
    "faultNotification",
    "faultInstance",
];

/// All of them, in the order of [`FAULT_TOOLS`].
pub(crate) fn tools() -> Vec<Candidate> {
    vec![
        Candidate::new(fault_delay::FaultDelay),
        Candidate::new(fault_stream::FaultStream),
        Candidate::new(fault_message::FaultMessage),
        Candidate::new(fault_http::FaultHttp),
        Candidate::new(fault_json_rpc::FaultJsonRpc),
        Candidate::new(fault_result::FaultResult),
        Candidate::new(fault_structured::FaultStructured),
        Candidate::new(fault_notification::FaultNotification),
        Candidate::new(fault_instance::FaultInstance),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn the_names_are_those_of_the_tools() {
        let registry = Registry::new([], tools()).unwrap();
        let names: Vec<_> = registry.definitions().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names, FAULT_TOOLS);
    }
}
