"""A modelled Nano 33 BLE Sense: the nRF52840 and the parts around it, in a process of its own."""
