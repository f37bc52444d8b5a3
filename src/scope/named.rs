//! Names for children, to be found again in logs and in reports of panics.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

/// Gives `child` a name: it is polled and dropped inside a `tracing` span `child` with the field `name`, and a panic in it is
/// reported, as an error event in that span with the text of the panic, before it goes on its way with its payload.
///
/// ```
/// use wscope::{Nursery, named, nursery};
///
/// wscope::run(nursery(async |n: Nursery| {
///     n.start_soon(named("reader", async { Ok(()) }));
///     n.spawn(named(format!("connection {}", 7), async { Ok(()) }));
///     Ok(())
/// }))
/// .unwrap();
/// ```
pub fn named<F: Future>(name: impl AsRef<str>, child: F) -> Named<F> {
    let span = tracing::info_span!("child", name = name.as_ref());
    Named { child: Some(child), span }
}

pin_project! {
    /// The future of [`named`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Named<F> {
        #[pin]
        child: Option<F>,
        span: tracing::Span,
    }

    impl<F> PinnedDrop for Named<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.span.enter();
            this.child.set(None);
        }
    }
}

impl<F: Future> Future for Named<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.enter();
        let Some(child) = this.child.as_pin_mut() else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| child.poll(cx))) {
            Ok(polled) => polled,
            Err(panic) => {
                tracing::error!(panic = text(&*panic), "child panicked");
                resume_unwind(panic)
            }
        }
    }
}

/// What a panic says, if it is one of the usual kind.
fn text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&'static str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "not a text",
    }
}
