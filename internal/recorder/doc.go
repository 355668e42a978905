// Package recorder stores rows in the background, whatever the table: it holds
// them within bounds, sends them in batches, and finds out which it cannot store.
//
//	Record ──▶ queue ──────▶ pending ──▶ in flight ──▶ stored
//	  │          │              ▲            │
//	  ▼          ▼              │            ▼
//	waiter     dropped          ├──────── failed ──▶ refused
//	(no room)  (DropOldest)     │            │
//	                            └── split ◀──┘
//
// The rooms: the queue is bounded, and has waiters where it is full. The sender
// takes batches from it, and has one in flight, or two while all goes well. The
// verdict on a failure says how much it takes to know that the rows are at fault.
//
// # When a row is refused
//
// One rule holds for every answer. A batch that failed is to blame when it fails
// right after another was stored: of several rows it is split; a row alone has one
// proof against it. Enough proofs refuse it: so what hits every row refuses none,
// since nothing is stored then, and what hits requests at random refuses none, since
// nobody has that much bad luck. What differs by answer is the number of proofs, and
// whether a batch is split before there is one.
//
// What there is to be stored right before is, in this order: parts of batches that
// were split, a row of the queue (a probe), the next batch. Where there will be none,
// after Close, a row is refused that fails alone long enough, if another was stored
// since it first failed, or it is the only one held.
//
// While nothing is stored, a batch that failed is tried again after a backoff, and
// with every third try a probe, so that one that is at fault does not hold up the
// others.
package recorder
