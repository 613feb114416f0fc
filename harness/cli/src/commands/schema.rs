//! `grenadier schema`.

use grenadier_checks::ExitCode;
use grenadier_outputs::pretty;

use crate::arguments::Schema;
use crate::output::print;

pub(crate) fn run(arguments: &Schema) -> ExitCode {
    let text = match (arguments.output, arguments.output_reference, arguments.reference) {
        (Some(document), ..) => pretty(&document.schema()),
        (None, true, _) => grenadier_outputs::reference(),
        (None, false, true) => grenadier_scenario::reference(),
        (None, false, false) => pretty(&grenadier_scenario::schema()),
    };
    print(&text);
    ExitCode::Passed
}
