"""The media messages travel by: one file a channel, all behind `base.Provider`."""
