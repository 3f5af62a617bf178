"""Find secrets in what is sent, and mask them before anything is stored."""
