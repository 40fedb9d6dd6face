//! A metric with labels whose values are few and known beforehand: each combination has its place,
//! and there is never one more.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, TypedMetric, counter::Counter, gauge::Gauge},
};

/// A label, and the values it may have.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    name: &'static str,
    values: Vec<Cow<'static, str>>,
}

impl Label {
    pub(crate) fn new<I>(name: &'static str, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        Self { name, values: values.into_iter().map(Into::into).collect() }
    }
}

/// An enum of the values of a label.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident = $label:literal { $($variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($variant,)+
        }

        impl $name {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $value,)+
                }
            }

            /// The label.
            fn label() -> $crate::metrics::family::Label {
                let values = Self::ALL.iter().map(|value| value.as_str());
                $crate::metrics::family::Label::new($label, values)
            }
        }
    };
}
pub(super) use label;

/// What stands in a place of a family.
pub(crate) trait Cell:
    Clone + fmt::Debug + EncodeMetric + TypedMetric + Send + Sync + 'static
{
    /// Whether nothing was counted yet.
    fn is_untouched(&self) -> bool;

    /// All of what several have counted.
    fn sum<'a>(cells: impl Iterator<Item = &'a Self>) -> Self;
}

impl Cell for Counter {
    fn is_untouched(&self) -> bool {
        self.get() == 0
    }

    fn sum<'a>(cells: impl Iterator<Item = &'a Self>) -> Self {
        let all = Self::default();
        all.inc_by(cells.map(Self::get).sum());
        all
    }
}

/// Of what there is now. What is begun by one thread another may see the end of, so one alone may be
/// less than nothing; and so may be all of them, when the end is read and the begin, on a sheet that
/// was read before, is not. There are never fewer than none.
impl Cell for Gauge {
    fn is_untouched(&self) -> bool {
        self.get() == 0
    }

    fn sum<'a>(cells: impl Iterator<Item = &'a Self>) -> Self {
        let all = Self::default();
        all.set(cells.map(Self::get).sum::<i64>().max(0));
        all
    }
}

/// How many sheets there are, each for some of the threads: what two processors write to goes from
/// one to the other each time.
static SHEETS: LazyLock<usize> =
    LazyLock::new(|| available_parallelism().map_or(1, usize::from).min(MOST_SHEETS));
const MOST_SHEETS: usize = 8;

thread_local! {
    /// The sheet of this thread.
    static SHEET: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed) % *SHEETS
    };
}

/// A metric for each combination of the values of `N` labels.
#[derive(Debug)]
pub(crate) struct Family<M, const N: usize>(Arc<Inner<M, N>>);

#[derive(Debug)]
struct Inner<M, const N: usize> {
    labels: [Label; N],
    /// A place for each combination, on each of the sheets.
    sheets: Vec<Vec<M>>,
    /// Whether combinations are shown that have not come up. Of few it is better: what counts from
    /// nothing on has no first increase that is seen.
    all: bool,
}

impl<M, const N: usize> Clone for Family<M, N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Cell, const N: usize> Family<M, N> {
    /// One that shows all there is from the beginning.
    pub(crate) fn all(labels: [Label; N]) -> Self
    where
        M: Default,
    {
        Self::made(labels, true, M::default)
    }

    /// One that shows what has come up: for many combinations, of which most never will.
    pub(crate) fn touched(labels: [Label; N], make: impl FnMut() -> M) -> Self {
        Self::made(labels, false, make)
    }

    fn made(labels: [Label; N], all: bool, mut make: impl FnMut() -> M) -> Self {
        let count = labels.iter().map(|label| label.values.len()).product();
        let sheet = || std::iter::repeat_with(&mut make).take(count).collect();
        let sheets = std::iter::repeat_with(sheet).take(*SHEETS).collect();
        Self(Arc::new(Inner { labels, sheets, all }))
    }

    /// Where this thread counts one combination: of each label, which of its values.
    ///
    /// # Panics
    /// Where a label has no such value.
    pub(crate) fn at(&self, values: [usize; N]) -> &M {
        &self.0.sheets[SHEET.with(|sheet| *sheet)][self.0.place(values)]
    }

    /// What all threads set of one combination, and do not count.
    ///
    /// # Panics
    /// Where a label has no such value.
    pub(crate) fn one_for_all(&self, values: [usize; N]) -> &M {
        &self.0.sheets[0][self.0.place(values)]
    }

    /// What all threads have counted of one combination.
    ///
    /// # Panics
    /// Where a label has no such value.
    pub(crate) fn all_of(&self, values: [usize; N]) -> M {
        self.0.sum(self.0.place(values))
    }

    /// How many combinations there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.sheets[0].len()
    }
}

impl<M: Cell, const N: usize> Inner<M, N> {
    fn sum(&self, place: usize) -> M {
        M::sum(self.sheets.iter().map(|sheet| &sheet[place]))
    }
}

impl<M, const N: usize> Inner<M, N> {
    /// Where a combination stands.
    fn place(&self, values: [usize; N]) -> usize {
        let places = self.labels.iter().zip(values);
        places.fold(0, |place, (label, value)| place * label.values.len() + value)
    }

    /// The values that a place stands for.
    fn values(&self, place: usize) -> [(&'static str, &str); N] {
        let mut rest = place;
        let mut values = [("", ""); N];
        for (label, value) in self.labels.iter().zip(&mut values).rev() {
            *value = (label.name, &label.values[rest % label.values.len()]);
            rest /= label.values.len();
        }
        values
    }
}

impl<M: Cell, const N: usize> EncodeMetric for Family<M, N> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let Inner { sheets, all, .. } = &*self.0;
        for place in 0..sheets[0].len() {
            if *all || sheets.iter().any(|sheet| !sheet[place].is_untouched()) {
                let cell = self.0.sum(place);
                cell.encode(encoder.encode_family(&self.0.values(place))?)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::prometheus_text, registry::Registry};

    use super::*;

    fn labels() -> [Label; 2] {
        [Label::new("size", ["s", "l"]), Label::new("colour", ["red", "green", "blue"])]
    }

    fn text(family: impl EncodeMetric + fmt::Debug + Send + Sync + 'static) -> String {
        let mut registry = Registry::default();
        registry.register("shirts", "Shirts", family);
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_combination_has_its_place() {
        let family = Family::<Counter, 2>::touched(labels(), Counter::default);
        for size in 0..2 {
            for colour in 0..3 {
                let times = 1 + size * 3 + colour;
                family.at([size, colour]).inc_by(u64::try_from(times).unwrap());
            }
        }
        let shown = text(family);
        assert!(shown.starts_with("shirts_total{size=\"s\",colour=\"red\"} 1 "), "{shown}");
        assert!(shown.contains("shirts_total{size=\"s\",colour=\"blue\"} 3 "), "{shown}");
        assert!(shown.ends_with("shirts_total{size=\"l\",colour=\"blue\"} 6"), "{shown}");
    }

    #[test]
    fn what_threads_have_counted_is_one_count() {
        let running = Family::<Gauge, 2>::all(labels());
        std::thread::scope(|scope| {
            for _ in 0..2 * MOST_SHEETS {
                scope.spawn(|| {
                    for _ in 0..3 {
                        running.at([1, 2]).inc();
                    }
                });
            }
        });
        let begun = i64::try_from(6 * MOST_SHEETS).unwrap();
        running.at([1, 2]).dec();
        assert_eq!(running.all_of([1, 2]).get(), begun - 1);
        let shown = text(running);
        assert!(
            shown.ends_with(&format!("{{size=\"l\",colour=\"blue\"}} {}", begun - 1)),
            "{shown}"
        );
    }

    #[test]
    fn there_are_never_fewer_than_none() {
        let running = Family::<Gauge, 2>::all(labels());
        running.at([0, 0]).dec();
        assert_eq!(running.all_of([0, 0]).get(), 0, "the begin was not read");
        running.at([0, 0]).inc();
        running.at([0, 0]).inc();
        assert_eq!(running.all_of([0, 0]).get(), 1);
    }

    #[test]
    fn what_has_not_come_up_is_shown_where_it_is_wanted() {
        assert_eq!(text(Family::<Counter, 2>::touched(labels(), Counter::default)), "");
        assert_eq!(text(Family::<Gauge, 2>::all(labels())).matches(" 0").count(), 6);
    }
}
