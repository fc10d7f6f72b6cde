"""The nRF52840's peripherals, one file each, after the nRF52840 Product Specification."""
