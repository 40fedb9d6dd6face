//! What was measured, for people, for programs, and as a picture.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};

use crate::result::Result;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// It is told and has no target.
    None,
    AtLeast(f64),
    AtMost(f64),
}

/// One measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
}

impl Figure {
    fn is_reached(&self) -> Option<bool> {
        match self.target {
            Target::None => None,
            Target::AtLeast(least) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
        }
    }
}

/// What one thing that a client does costs with Redis, on the average.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) what: &'static str,
    /// Microseconds of the instance's processor time.
    pub(crate) cpu: f64,
    /// Microseconds of Redis's.
    pub(crate) redis_cpu: f64,
    /// Commands that Redis does, those of its scripts too.
    pub(crate) commands: f64,
    /// Kilobytes that Redis holds when it is done.
    pub(crate) memory: f64,
}

/// All that was measured in one run.
pub(crate) struct Report {
    figures: Vec<Figure>,
    /// The rate of each subject, for the picture.
    rates: Vec<(String, f64)>,
    costs: Vec<Cost>,
    machine: String,
}

impl Report {
    pub(crate) fn new() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let model = processor.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown");
        let cores = processor.lines().filter(|line| line.starts_with("processor")).count();
        let kernel = read("/proc/sys/kernel/osrelease");
        let machine = format!("{model}, {cores} cores, Linux {}", kernel.trim());
        Self { figures: Vec::new(), rates: Vec::new(), costs: Vec::new(), machine }
    }

    pub(crate) fn add(&mut self, what: &'static str, value: f64, unit: &'static str, to: Target) {
        self.figures.push(Figure { what, value, unit, target: to });
    }

    pub(crate) fn rate(&mut self, subject: &str, rate: f64) {
        self.rates.push((subject.to_owned(), rate));
    }

    pub(crate) fn cost(&mut self, cost: Cost) {
        self.costs.push(cost);
    }

    pub(crate) fn table(&self) -> String {
        let mut out =
            format!("{}\n\n| figure | measured | target | |\n|---|---|---|---|\n", self.machine);
        for figure in &self.figures {
            let target = match figure.target {
                Target::None => String::new(),
                Target::AtLeast(least) => format!("≥ {least}"),
                Target::AtMost(most) => format!("≤ {most}"),
            };
            let reached = match figure.is_reached() {
                None => "",
                Some(true) => "reached",
                Some(false) => "**missed**",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "| {} | {} {} | {target} | {reached} |",
                figure.what,
                rounded(figure.value),
                figure.unit
            );
        }
        if !self.costs.is_empty() {
            out += "\n| with Redis | CPU of the instance, µs | CPU of Redis, µs | commands | left in Redis, KB |\n\
                |---|---|---|---|---|\n";
        }
        for Cost { what, cpu, redis_cpu, commands, memory } in &self.costs {
            let [cpu, redis_cpu, commands, memory] =
                [cpu, redis_cpu, commands, memory].map(|value| rounded(*value));
            let _ = writeln!(out, "| {what} | {cpu} | {redis_cpu} | {commands} | {memory} |");
        }
        out
    }

    /// Writes `performance.json` and `performance.svg` into a folder, and the table into its
    /// `performance.md`.
    pub(crate) fn write(&self, folder: &str) -> Result<()> {
        const MARKS: [&str; 2] = ["<!-- measured -->\n", "<!-- end of what was measured -->"];
        let folder = Path::new(folder);
        fs::write(folder.join("performance.json"), format!("{:#}\n", self.json()))?;
        fs::write(folder.join("performance.svg"), self.chart())?;
        let page = folder.join("performance.md");
        let text = fs::read_to_string(&page)?;
        let [begin, end] = MARKS.map(|mark| text.find(mark));
        let (begin, end) = begin.zip(end).ok_or("the page has no place for the table")?;
        let begin = begin + MARKS[0].len();
        // The page leads to them once they are there.
        let files = "![Requests a second of each subject](performance.svg)\n\n\
                     The same as JSON: [performance.json](performance.json).\n";
        let text = format!("{}\n{}\n{files}\n{}", &text[..begin], self.table(), &text[end..]);
        fs::write(page, text)?;
        Ok(())
    }

    fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            json!({
                "figure": figure.what,
                "value": figure.value,
                "unit": figure.unit,
                "target": match figure.target {
                    Target::None => Value::Null,
                    Target::AtLeast(least) => json!({ "atLeast": least }),
                    Target::AtMost(most) => json!({ "atMost": most }),
                },
                "reached": figure.is_reached(),
            })
        });
        let rates = self.rates.iter().map(|(name, rate)| json!({ "subject": name, "rate": rate }));
        let costs = self.costs.iter().map(|cost| {
            json!({
                "what": cost.what,
                "cpuMicros": cost.cpu,
                "redisCpuMicros": cost.redis_cpu,
                "redisCommands": cost.commands,
                "redisKilobytes": cost.memory,
            })
        });
        json!({
            "machine": self.machine,
            "figures": figures.collect::<Vec<_>>(),
            "rates": rates.collect::<Vec<_>>(),
            "costs": costs.collect::<Vec<_>>(),
        })
    }

    /// Bars, readable on light and on dark.
    fn chart(&self) -> String {
        const ROW: usize = 28;
        let most = self.rates.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
        let height = ROW * self.rates.len() + 30;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 790 {height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n<style>text{{fill:#555}}\
             @media(prefers-color-scheme:dark){{text{{fill:#bbb}}}}</style>\n\
             <text x=\"4\" y=\"16\">tools/call echo, requests/s (median of all rounds)</text>\n"
        );
        for (row, (name, rate)) in self.rates.iter().enumerate() {
            let (y, width) = (30 + row * ROW, rate / most * 330.0);
            let _ = writeln!(
                out,
                "<text x=\"4\" y=\"{}\">{name}</text><rect x=\"360\" y=\"{y}\" \
                 width=\"{width:.0}\" height=\"18\" fill=\"#3b82c4\"/><text x=\"{:.0}\" \
                 y=\"{}\">{}</text>",
                y + 14,
                366.0 + width,
                y + 14,
                rounded(*rate)
            );
        }
        out + "</svg>\n"
    }
}

/// With as many digits as mean something.
fn rounded(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
