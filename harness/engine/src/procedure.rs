//! A plan together with those who carry it out.

use std::future::Future;
use std::pin::Pin;

use crate::plan::Plan;
use crate::step::Step;

/// What the steps of a procedure share: parameters, clients, findings.
pub trait Context: Send {
    /// Ends what is open (a session, say). What goes wrong here is nobody's loss.
    fn close<'a>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {})
    }

    /// What is left where taking back came to an end: which machine is on, and where to find what was saved. For people.
    fn left<'a>(&'a mut self) -> Pin<Box<dyn Future<Output = String> + Send + 'a>> {
        Box::pin(async { String::new() })
    }
}

/// A plan and the steps that carry it out.
pub struct Procedure<C> {
    plan: Plan,
    steps: Vec<Box<dyn Step<C>>>,
    context: C,
}

impl<C: Context> Procedure<C> {
    /// Puts a procedure together: the plan is what `steps` say of themselves under the frame `plan`.
    pub(crate) fn new(mut plan: Plan, steps: Vec<Box<dyn Step<C>>>, context: C) -> Procedure<C> {
        plan.steps = steps.iter().map(|step| step.plan(&context)).collect();
        Procedure { plan, steps, context }
    }

    /// The same plan, carried out by others.
    #[cfg(feature = "mutants")]
    pub(crate) fn carried_out_by(mut self, exchange: impl FnMut(Box<dyn Step<C>>) -> Box<dyn Step<C>>) -> Procedure<C> {
        self.steps = self.steps.into_iter().map(exchange).collect();
        self
    }

    /// What it is going to do.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What its steps share.
    pub fn context(&self) -> &C {
        &self.context
    }

    pub(crate) fn context_mut(&mut self) -> &mut C {
        &mut self.context
    }

    pub(crate) fn parts(&mut self) -> (&Plan, &[Box<dyn Step<C>>], &mut C) {
        (&self.plan, &self.steps, &mut self.context)
    }
}
