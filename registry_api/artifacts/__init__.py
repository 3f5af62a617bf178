"""Training sets, models, endpoints and monitors: what tasks said of them, and which features stand behind them."""
