//! What a fault rule does to a call.

use crate::CallTemplate;
use crate::named::named;

named! {
    /// Who carries a fault out.
    pub enum FaultLayer("fault layer") {
        Carrier = "carrier", "the connection: works for every protocol";
        Protocol = "protocol", "the simulator, which knows how its protocol words that failure";
        Operation = "operation", "the fleet, while it performs what was asked";
    }
}

named! {
    /// A kind of fault that a scenario can ask for with `do`.
    pub enum FaultKind("fault kind") {
        Refuse = "refuse", "the connection is refused; nothing happens";
        Unavailable = "unavailable", "the call is answered 503 before it has any effect";
        ErrorAfter = "error-after", "the effect takes place, then the call is answered with an error";
        LostReply = "lost-reply", "the effect takes place, then the connection drops without an answer";
        TaskFails = "task-fails", "the call starts its task, and the task ends in an error";
        Hang = "hang", "the call is never answered and has no effect";
    }
}

impl FaultKind {
    /// The layer that carries the fault out.
    pub fn layer(self) -> FaultLayer {
        match self {
            Self::Refuse | Self::LostReply | Self::Hang => FaultLayer::Carrier,
            Self::Unavailable | Self::ErrorAfter => FaultLayer::Protocol,
            Self::TaskFails => FaultLayer::Operation,
        }
    }

    /// Whether the fault makes sense for a call of this template.
    ///
    /// # Errors
    ///
    /// The reason why it does not, as a fragment that reads well after the fault's name.
    pub fn applies_to(self, template: &CallTemplate) -> Result<(), &'static str> {
        match (self, template) {
            (Self::TaskFails, CallTemplate::Vsphere { method }) if method.ends_with("_Task") => Ok(()),
            (Self::TaskFails, _) => Err("needs a vSphere call that starts a task, such as vsphere.PowerOnVM_Task"),
            (Self::Unavailable, CallTemplate::Shell { .. }) => {
                Err("is an HTTP status, which a shell command does not have; `refuse` refuses its connection")
            }
            (Self::Refuse | Self::Unavailable | Self::ErrorAfter | Self::LostReply | Self::Hang, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_can_fail_only_where_there_is_one() {
        for (template, fits) in [
            ("vsphere.PowerOnVM_Task", true),
            ("vsphere.Login", false),
            ("dataplane.GET /v2/info", false),
            ("shell.systemctl", false),
        ] {
            let template: CallTemplate = template.parse().unwrap();
            assert_eq!(FaultKind::TaskFails.applies_to(&template).is_ok(), fits, "{template}");
            assert!(FaultKind::Hang.applies_to(&template).is_ok());
        }
        let shell: CallTemplate = "shell.systemctl".parse().unwrap();
        assert!(FaultKind::Unavailable.applies_to(&shell).is_err());
    }
}
