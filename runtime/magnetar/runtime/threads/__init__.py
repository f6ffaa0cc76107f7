"""The threads of a worker: one that steps the machines, one per consumer that receives, one that watches the first."""
