//! Work that needs no order, side by side. A leaf: imports nothing of this crate.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many are at work at once, at most.
const MOST: usize = 8;

/// What `work` makes of each item, on all cores, in the order of the items.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    on(std::thread::available_parallelism().map_or(1, usize::from), items, work)
}

/// The same of what waits for somebody else more than it works: more at once than there are cores.
pub fn waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    on(MOST, items, work)
}

fn on<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads.min(items.len()).min(MOST);
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    own.push((index, work(item)));
                }
                if let Ok(mut done) = done.lock() {
                    done.extend(own);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_is_that_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(super::each(&items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert!(super::each(&[] as &[u8], |n| *n).is_empty());
        assert_eq!(super::waiting(&items, |n| n + 1), (1..=1000).collect::<Vec<usize>>());
    }
}
