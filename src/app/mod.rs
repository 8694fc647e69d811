//! Pure: State, Event, Action, Effect and update.
