<#
.SYNOPSIS
Switches the framework's verifier on or off for the driver.

.DESCRIPTION
The framework checks how the driver uses it, and breaks into the debugger when it finds something; without a
debugger Windows stops. The settings are read when the driver is loaded, so the device is disabled and
enabled again.

Returns 0 if the device works afterwards, and 1 if not.

.PARAMETER Mode
On or Off.

.PARAMETER FailAfter
With On: the framework lets every allocation fail after this many.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.EXAMPLE
.\kmdf-verifier.ps1 -Mode On

.EXAMPLE
.\kmdf-verifier.ps1 -Mode Off
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [ValidateSet('On', 'Off')] [string] $Mode,
    [ValidateRange(1, 100000)] [int] $FailAfter,
    [string] $Package
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

try {
    Write-Step 'the device'
    $driver = Get-Package -Folder $Package
    Assert-DeviceWorks -Driver $driver
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($driver.Service)\Parameters\Wdf"
    if ($Mode -eq 'On') {
        Write-Step 'the framework checks the driver'
        foreach ($name in 'VerifierOn', 'VerifyOn', 'DbgBreakOnError', 'EnhancedVerifierOptions') {
            Set-Value -Key $key -Name $name -Value 1 | Out-Null
        }
        Set-Value -Key $key -Name 'TrackHandles' -Value @('*') -Type 'MultiString' | Out-Null
        if ($FailAfter) {
            Set-Value -Key $key -Name 'VerifierAllocateFailCount' -Value $FailAfter | Out-Null
        }
    } else {
        Write-Step 'the framework does not check the driver'
        $names = 'VerifierOn', 'VerifyOn', 'DbgBreakOnError', 'EnhancedVerifierOptions', 'TrackHandles', 'VerifierAllocateFailCount'
        foreach ($name in $names) {
            Remove-ItemProperty -Path $key -Name $name -ErrorAction SilentlyContinue
        }
    }
    Write-Step 'load the driver again'
    Disable-TheDevice -Driver $driver
    Enable-TheDevice -Driver $driver
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
