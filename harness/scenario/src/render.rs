//! Problems as people read them.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity,
    SourceCode, SourceSpan, SpanContents,
};

use crate::diagnostic::{Span, position};
use crate::{Diagnostics, Problem};

/// How problems are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// With colours and box-drawing characters, for a terminal.
    Fancy,
    /// In ASCII without colours, the same in every environment: for logs, pipes and tests.
    Plain,
}

/// Wide enough for a scenario's longest line beside the line numbers.
const WIDTH_COLUMNS: usize = 120;

/// The document under its name. Unlike miette's own sources it counts columns in characters, as [`Problem`] does.
#[derive(Debug)]
struct Document<'d> {
    file: &'d str,
    text: &'d str,
}

impl SourceCode for Document<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, lines_before, lines_after)?;
        let (_, column) = position(self.text, contents.span().offset());
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.to_owned(),
            contents.data(),
            *contents.span(),
            contents.line(),
            column - 1,
            contents.line_count(),
        )))
    }
}

/// One problem in the shape miette renders.
#[derive(Debug)]
struct Report<'p> {
    problem: &'p Problem,
    source: Document<'p>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        // A value of several lines is marked at its first one: a frame around half the file helps nobody.
        let first_line = |span: &Span| {
            let text = &self.source.text[span.clone()];
            (span.start, text.find(['\n', '\r']).unwrap_or(text.len()))
        };
        let here = LabeledSpan::new_primary_with_span(None, first_line(&self.problem.span));
        let also = self.problem.also.as_ref();
        let also = also.map(|(span, label)| LabeledSpan::new_with_span(Some((*label).to_owned()), first_line(span)));
        Some(Box::new(std::iter::once(here).chain(also)))
    }
}

/// Renders every problem, and at the end how many there are.
pub(crate) fn render(diagnostics: &Diagnostics, style: Style) -> String {
    let theme = match style {
        Style::Fancy => GraphicalTheme::unicode(),
        Style::Plain => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH_COLUMNS).with_context_lines(1);
    let mut text = String::new();
    for problem in diagnostics.iter() {
        let source = Document { file: diagnostics.file(), text: diagnostics.source() };
        let report = Report { problem, source };
        handler.render_report(&mut text, &report).expect("a string takes everything");
        text.push('\n');
    }
    let count = diagnostics.iter().len();
    text.push_str(&format!("{count} problem{} in {}\n", if count == 1 { "" } else { "s" }, diagnostics.file()));
    text
}
