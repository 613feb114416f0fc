//! AuthorizationManager.

use grenadier_fleet::CloudHost;

use crate::VSphere;
use crate::call::{Call, Outcome, Reply};
use crate::fault::Fault;
use crate::value::{Data, Value};

pub(crate) fn call(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Option<Outcome> {
    Some(match call.method {
        "HasPrivilegeOnEntities" => has_privilege_on_entities(sim, call, host),
        _ => return None,
    })
}

/// Everybody is an administrator, but for the privileges that the configuration takes away. A session that is over has none.
fn has_privilege_on_entities(sim: &mut VSphere, call: &Call<'_>, host: &mut dyn CloudHost) -> Outcome {
    let session = call.args.required("sessionId")?;
    let user = sim.sessions.user_of_key(session).map(str::to_owned);
    let privileges = call.args.texts_of("privId");
    let inventory = sim.inventory(host, call.session.as_deref());
    let mut answers = Vec::new();
    for node in call.args.children("entity") {
        let asked = node.moref();
        let entity = inventory.resolve(&asked.id).ok_or_else(|| Fault::not_found(&asked))?;
        let availability = privileges.iter().map(|privilege| {
            let granted = user.as_deref().is_some_and(|user| sim.sessions.user_has(user, privilege));
            Data::new("PrivilegeAvailability").with("privId", privilege.as_str()).with("isGranted", granted)
        });
        let answer = Data::new("EntityPrivilege")
            .with("entity", entity)
            .with("privAvailability", Value::list("PrivilegeAvailability", availability));
        answers.push(answer.into());
    }
    Ok(Reply::Many(answers))
}
