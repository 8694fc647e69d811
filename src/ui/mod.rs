//! Views: functions of the state.
